"""What the scripts that time a peer share."""
import resource
import statistics
import time


def median_seconds(step, steps):
    """The median of so many steps, after three that are not counted."""
    for _ in range(3):
        step()
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak_rss_bytes():
    """The most memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
