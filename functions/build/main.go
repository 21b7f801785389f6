// Command build compiles the functions of this checkout for Lambda and writes what a deployment needs into a folder:
//
//	dist/ARCHITECTURE/NAME/bootstrap   a function's program, in a folder of its own
//	dist/ARCHITECTURE/NAME.zip         the same as Lambda takes it; equal sources give equal bytes
//	dist/manifest.json                 what the deployment consists of, written last
//
// It is started from the root of the repository: make build.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"waggle/pipelines"
	"waggle/shared/fault"
	"waggle/shared/manifest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
	}
	os.Exit(fault.Exit(err))
}

func command(ctx context.Context) error {
	folder := flag.String("out", "dist", "the `FOLDER` to write to")
	architectures := flag.String("architectures", strings.Join(defaultArchitectures(), ","), "Go's `NAMES` of what to build for: arm64, amd64")
	flag.Parse()
	if flag.NArg() > 0 {
		return fault.New(fault.Invalid, "build takes no argument, and got %q", flag.Arg(0))
	}
	m, err := manifest.Of(pipelines.Definitions, codeVersion(ctx, "."))
	if err != nil {
		return err
	}
	b := builder{root: ".", out: *folder, architectures: strings.Split(*architectures, ","), limit: maxZip, unzipped: maxProgram}
	if m, err = b.build(ctx, m); err != nil {
		return err
	}
	for _, f := range m.Functions {
		for _, z := range f.Zips {
			fmt.Printf("%-8s %-6s %8s  %s\n", f.Name, z.Architecture, humanize.IBytes(uint64(z.Bytes)), filepath.Join(*folder, z.Path))
		}
	}
	return nil
}

// defaultArchitectures are AWS's cheaper one, and this machine's, for emulators.
func defaultArchitectures() []string {
	return slices.Compact([]string{"arm64", runtime.GOARCH})
}
