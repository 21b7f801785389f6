// Package figures is what the bench programs share: a figure is one line of JSON on standard output, taken in a process
// of its own, and the median of several.
package figures

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"slices"
)

// Main runs a bench program: command, whose context ends when somebody interrupts it. An error is written with the name of the program, and the
// exit status is 1.
func Main(name string, command func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command(ctx)
	stop()
	if err != nil {
		Say("bench/%s: %v", name, err)
		os.Exit(1)
	}
}

// Print writes one object as a line on standard output.
func Print(object any) error {
	raw, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(raw, '\n'))
	return err
}

// Say writes a line for people on standard error.
func Say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Median is the middle of the values; of an even number, the lower of the two in the middle. It panics
// without any.
func Median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// Round cuts a figure to two decimals.
func Round(f float64) float64 { return float64(int64(f*100+0.5)) / 100 }
