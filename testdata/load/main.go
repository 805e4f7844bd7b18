// Command load asks an image server for answers from many connections at once, and prints as JSON
// how many came a second and how long they took.
//
//	go run ./testdata/load -url http://127.0.0.1:8080/predict -connections 64 -requests 1000 IMAGES
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// result is what is printed. Milliseconds are from before a request is sent until its answer is read.
type result struct {
	Requests    int            `json:"requests"`
	Connections int            `json:"connections"`
	Seconds     float64        `json:"seconds"`
	PerSecond   float64        `json:"images_per_second"`
	P50         float64        `json:"p50_ms"`
	P99         float64        `json:"p99_ms"`
	Max         float64        `json:"max_ms"`
	Statuses    map[string]int `json:"statuses"`
}

func main() {
	target := flag.String("url", "http://127.0.0.1:8080/predict", "where images are posted; this machine alone")
	connections := flag.Int("connections", 64, "requests at a time")
	requests := flag.Int("requests", 1000, "requests in all; the images are sent in turn")
	flag.Parse()
	r, err := run(*target, *connections, *requests, flag.Args())
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(target string, connections, requests int, paths []string) (*result, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s: an address of this machine, such as 127.0.0.1", target)
	}
	if connections < 1 || requests < 1 || requests > 1e6 {
		return nil, errors.New("-connections and -requests: 1 or more, at most a million requests")
	}
	images, err := read(paths)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}, Timeout: 5 * time.Minute}
	took := make([]float64, requests)
	r := &result{Requests: requests, Connections: connections, Statuses: map[string]int{}}
	var mu sync.Mutex
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range connections {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= requests {
					return
				}
				sent := time.Now()
				status := post(client, target, images[i%len(images)])
				took[i] = time.Since(sent).Seconds() * 1000
				mu.Lock()
				r.Statuses[status]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	r.Seconds = time.Since(start).Seconds()
	r.PerSecond = float64(requests) / r.Seconds
	slices.Sort(took)
	r.P50, r.P99, r.Max = took[requests/2], took[min(requests-1, requests*99/100)], took[requests-1]
	return r, nil
}

// post returns the status of an answer, or what came instead of one.
func post(client *http.Client, target string, image []byte) string {
	answer, err := client.Post(target, "application/octet-stream", bytes.NewReader(image))
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err.Error()
	}
	return fmt.Sprint(answer.StatusCode)
}

// read takes files, and every file of folders.
func read(paths []string) ([][]byte, error) {
	var images [][]byte
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			images = append(images, b)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(images) == 0 {
		return nil, errors.New("name images, or folders of them")
	}
	return images, nil
}
