// Command systems checks the types of this module and of its tests for the systems that it is given:
// `make check-systems`. Nothing is compiled, which for one system would take minutes.
//
//	go run . -tags mpi linux/arm64 windows/amd64
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	tags := flag.String("tags", "", "build tags")
	flag.Parse()
	debug.SetGCPercent(400) // a third less to do, for 2 GB
	faults := 0
	for _, system := range flag.Args() {
		n, err := check(system, *tags)
		if err != nil {
			fmt.Fprintf(os.Stderr, "systems: %s: %v\n", system, err)
			os.Exit(1)
		}
		faults += n
		fmt.Printf("%s: %d faults\n", system, n)
	}
	if faults > 0 {
		os.Exit(1)
	}
}

// check prints what is wrong for a system with build tags, and counts it.
func check(system, tags string) (faults int, err error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return 0, fmt.Errorf("want a system such as linux/amd64")
	}
	all, err := packages.Load(&packages.Config{
		// Of what others wrote the bodies of functions are not looked at.
		Mode:       packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypes,
		Dir:        "../..",
		Env:        append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch),
		BuildFlags: []string{"-tags=" + tags},
		Tests:      true,
	}, "./...")
	if err == nil && len(all) < 50 {
		err = fmt.Errorf("%d packages were found", len(all))
	}
	return packages.PrintErrors(all), err
}
