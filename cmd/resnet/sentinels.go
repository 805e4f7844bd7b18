package main

import "resnet/configs"

// sentinels gives errors of the packages their exit status, the most specific first.
var sentinels = []struct {
	err    error
	status int
}{
	{configs.ErrTooLarge, exitUsage},
}
