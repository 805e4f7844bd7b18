package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/serve"
	"resnet/internal/text"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	experiment.ServiceOptions
	serve.Options
	classesFile string
	listen      string
	precision   string
	grace       time.Duration
	maxMB       int
	maxMemoryMB int
}

const serveHelp = `Answers over HTTP what is on an image:

  POST /predict   the bytes of an image file, or a form with files; answered with the JSON of predict;
                  ?top=N asks for N classes
  GET  /          a page to drop an image on
  GET  /healthz   200 while requests are taken, 503 while the server ends
  GET  /metrics   for Prometheus

Images that come within --delay of one another are computed together, up to --batch of them, while
the next are decoded. An image is prepared as validation prepared it in training.

What requests may take is bounded: what is over a bound is answered with 4xx. Who may ask is not
checked: the server listens on this machine alone unless --listen says otherwise.

SIGINT or SIGTERM ends it: requests in hand are answered first, within --grace.

    curl --data-binary @cat.jpg http://127.0.0.1:8080/predict
    curl -F image=@cat.jpg -F image=@dog.jpg 'http://127.0.0.1:8080/predict?top=1'`

func newServeCmd(a *app) *cobra.Command {
	o := &serveOptions{}
	c := &cobra.Command{
		Use: "serve CHECKPOINT", Short: "Classify images over HTTP",
		Long:    serveHelp + exitHelp(help65, help66, help74, helpStopped),
		Example: "  resnet serve runs/pets\n  resnet serve resnet50.safetensors --listen :80 --batch 32",
		Args:    exactArgs("CHECKPOINT"),
		RunE:    func(c *cobra.Command, args []string) error { return runServe(c.Context(), a, o, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address and port; port 0 takes a free one")
	bounded(f, &o.Batch, "batch", 16, 1, maxBatch, "images computed together at most")
	f.DurationVar(&o.Delay, "delay", 2*time.Millisecond, "how long an image waits for others")
	bounded(f, &o.Top, "top", 5, 1, maxCount, "classes of an answer")
	viewFlags(c, &o.ServiceOptions.View)
	f.StringVar(&o.classesFile, "classes-file", "", "names of the network's classes, one a line in the order of its outputs (default the checkpoint's)")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.precision, precisionOfCheckpoint)
	bounded(f, &o.maxMB, "max-size", 16, 1, 256, "MB of a request")
	bounded(f, &o.maxMemoryMB, "max-memory", 512, 1, 1<<20, "MB of the requests in hand, besides the network")
	bounded(f, &o.MaxWaiting, "max-requests", 256, 1, 1<<16, "requests worked on at a time; more are answered with 429")
	f.DurationVar(&o.Timeout, "timeout", 30*time.Second, "for a request to come in and for its answer to be taken")
	f.DurationVar(&o.grace, "grace", 10*time.Second, "for the requests in hand when the server ends")
	return c
}

func runServe(ctx context.Context, a *app, o *serveOptions, checkpoint string) error {
	switch {
	case o.Delay < 0 || o.Delay > time.Minute:
		return usageErrorf("serve: --delay %v: 0 to 1m", o.Delay)
	case o.Timeout <= 0 || o.Timeout > time.Hour:
		return usageErrorf("serve: --timeout %v: more than 0, 1h at most", o.Timeout)
	case o.grace < 0 || o.grace > time.Hour:
		return usageErrorf("serve: --grace %v: 0 to 1h", o.grace)
	}
	if err := serve.CheckAddress(o.listen); err != nil {
		return usageErrorf("serve: --listen: %w", err)
	}
	if err := o.ServiceOptions.View.Check(); err != nil {
		return err
	}
	o.MaxBytes, o.MaxMemory = int64(o.maxMB)<<20, int64(max(o.maxMemoryMB, o.maxMB))<<20
	patience := o.grace + 5*time.Second
	return a.interruptibleFor(ctx, "Stopped: the requests in hand have been answered.", patience, os.Exit, func(ctx context.Context) error { return a.serve(ctx, o, checkpoint) })
}

func (a *app) serve(ctx context.Context, o *serveOptions, checkpoint string) error {
	model, err := experiment.OpenClassifier(a.environment(), checkpoint)
	if err != nil {
		return err
	}
	if err := model.Compute(o.precision); err != nil {
		return err
	}
	if err := model.NameClasses(o.classesFile); err != nil {
		return err
	}
	listener, err := serve.Listen(o.listen)
	if err != nil {
		return &experiment.IOError{Err: fmt.Errorf("serve: --listen: %w", err)}
	}
	defer listener.Close()
	var server atomic.Pointer[serve.Server]
	o.Computed = func(images int) {
		if s := server.Load(); s != nil { // not yet of the images that make the machines
			s.Computed(images)
		}
	}
	s, err := experiment.NewService(model, o.ServiceOptions)
	if err != nil {
		return err
	}
	defer s.Close()
	o.Model, o.Checkpoint, o.Options.View, o.Options.Precision = model.Spec.Name, model.Named, s.View(), model.Precision.String()
	o.Say = func(line string) { a.say("%s", text.Printable(line)) }
	if err := s.Warm(ctx); err != nil {
		return err
	}
	server.Store(serve.New(s, o.Options))
	fmt.Fprintf(a.out, "%s (%s), %s%s: http://%s\n", text.Printable(o.Model), text.Printable(o.Checkpoint), o.Options.View, lower(model.Precision), listener.Addr())
	if err := server.Load().Serve(ctx, listener, o.grace); err != nil {
		return err
	}
	return ctx.Err()
}
