// Command generate makes up a gallery's sales, artworks, artists and media, and a ledger of what
// is wrong with them.
//
//	go run ./pipelines/gallery/generate --seed 7 --scale 10 --out /tmp/gallery
//	waggle run gallery --config input_dir=/tmp/gallery
package main

import (
	"flag"
	"fmt"
	"os"

	"waggle/pipelines/gallery/gallerydata"
)

func main() {
	o := gallerydata.Shipped
	flag.Uint64Var(&o.Seed, "seed", o.Seed, "which gallery: the same seed makes the same bytes")
	flag.Float64Var(&o.Scale, "scale", o.Scale, "how many times 500 sales, 400 artworks, 40 artists and 1,100 media; at least 0.1")
	flag.BoolVar(&o.Clean, "clean", o.Clean, "leave the faults out")
	dir := flag.String("out", "gallery", "folder to write to")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "generate: unexpected %q: all settings are flags\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := gallerydata.Generate(*dir, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
