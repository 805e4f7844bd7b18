package main

import "github.com/spf13/cobra"

// commands is the list of commands, in the order of the help text of cobra, which sorts them.
func commands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newConfigCmd(a),
		newVersionCmd(a),
	}
}
