package mpi

import "strconv"

// Launch is what a launcher has told this process.
type Launch struct {
	Size, Rank int
	// By names the launcher's kind: "Open MPI", "MPICH" or "Slurm".
	By string
}

// Launched reads the variables that launchers set; Size 1 means that this process is alone. An
// allocation of Slurm without a step of several tasks is no launcher.
func Launched(getenv func(string) string) Launch {
	for _, l := range []struct{ by, size, rank string }{
		{"Open MPI", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
		{"MPICH", "PMI_SIZE", "PMI_RANK"},
	} {
		if n, err := strconv.Atoi(getenv(l.size)); err == nil && n >= 1 {
			rank, _ := strconv.Atoi(getenv(l.rank)) // 0 where it is not said
			return Launch{n, rank, l.by}
		}
	}
	if n, err := strconv.Atoi(getenv("SLURM_NTASKS")); err == nil && n > 1 {
		for _, name := range []string{"PMIX_RANK", "PMI_RANK"} { // of srun --mpi
			if rank, err := strconv.Atoi(getenv(name)); err == nil {
				return Launch{n, rank, "Slurm"}
			}
		}
	}
	return Launch{Size: 1}
}
