package main

import (
	"slices"
	"strings"

	"waggle/shared/manifest"
)

// tags leave out what functions never use.
var tags = []string{
	"lambda.norpc",      // the calls of Lambda's first runtime for Go
	"grpcnotrace",       // gRPC's page of traces: its template has the linker keep every method of every type. Only packages that are imported know gRPC
	"arrow_json_stdlib", // a second JSON, which Arrow prefers for speed; Waggle writes and reads JSON by encoding/json
}

// cold are the packages that are compiled without inlining: code that is linked and seldom or never runs, or that waits for the network, as most
// of ours does. A function loses a tenth of its size by that. What reads and writes tables is not among them, nor is SQLite, which took twice as long to
// read a table.
var cold = []string{
	"github.com/apache/arrow-go/v18/arrow/compute/...", // arithmetic, casts and comparisons of all types: package schema has its own
	"github.com/apache/arrow-go/v18/arrow/flight/...",
	"github.com/apache/arrow-go/v18/arrow/ipc/...",
	"github.com/apache/arrow-go/v18/arrow/scalar",
	"github.com/apache/arrow-go/v18/arrow/extensions",
	"github.com/apache/arrow-go/v18/arrow/internal/...",
	"github.com/apache/arrow-go/v18/parquet/metadata",
	"github.com/apache/arrow-go/v18/parquet/schema",
	"github.com/apache/arrow-go/v18/parquet/variant",
	"github.com/apache/arrow-go/v18/parquet/internal/gen-go/...",
	"github.com/apache/thrift/...", // the footer of Parquet files
	"github.com/aws/...",
	"github.com/googleapis/...",
	"github.com/slack-go/...",
	"github.com/wneessen/...",
	"go.opentelemetry.io/...", // this and the next are what gocloud.dev and Arrow's Flight import
	"google.golang.org/...",
	"gocloud.dev/...",
	"golang.org/x/...",
	"github.com/DataDog/...",
	"github.com/charmbracelet/...", // this and the next two are how wide a text is
	"github.com/clipperhouse/...",
	"github.com/mattn/...",
	"github.com/dustin/...",
	"github.com/robfig/...",
	"github.com/andybalholm/...", // Brotli, which a Parquet file may use
	"archive/...",
	"crypto/...",
	"database/...",
	"encoding/asn1",
	"encoding/xml",
	"go/...",
	"html/...",
	"image/...",
	"log/...",
	"math/big",
	"mime/...",
	"net/...",
	"os/...",
	"regexp/...",
	"text/...",
	"vendor/...",
	"waggle/functions/...",
	"waggle/shared/...",
}

// hot are packages that are compiled as usual all the same: each row goes through ours, and the others are the arithmetic of TLS, without which a
// connection took a quarter longer to begin.
var hot = []string{
	"crypto/internal/fips140/...",
	"waggle/shared/pages",
	"waggle/shared/schema",
	"waggle/shared/table",
}

// coldWithoutSteps are those of functions that run no steps, and so read a table where a sensor of the pipelines does, if at all.
var coldWithoutSteps = []string{"github.com/apache/arrow-go/..."}

// lean are the arguments of go build that keep a function small.
func lean(name string) []string {
	patterns := cold
	if name == manifest.SensorFunction || name == manifest.MonitorFunction {
		patterns = slices.Concat(cold, coldWithoutSteps)
	}
	arguments := []string{"-tags", strings.Join(tags, ",")}
	for _, pattern := range patterns {
		arguments = append(arguments, "-gcflags="+pattern+"=-l")
	}
	for _, pattern := range hot {
		arguments = append(arguments, "-gcflags="+pattern+"=") // the last pattern that a package matches counts
	}
	return arguments
}
