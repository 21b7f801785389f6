package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/manifest"
)

// builder compiles functions.
type builder struct {
	root          string // of the repository
	out           string // the folder to write to
	architectures []string
	limit         int64 // bytes of a zip
	unzipped      int64 // bytes of a program
}

// build compiles the functions of a manifest, writes their zips and then the manifest. From its start until its end there is none in
// the folder: what is half built cannot be deployed. It returns the manifest with the zips.
func (b builder) build(ctx context.Context, m manifest.Manifest) (manifest.Manifest, error) {
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return m, fault.Wrap(fault.Unavailable, "make the folder "+b.out, err)
	}
	if err := os.Remove(filepath.Join(b.out, manifest.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fault.Wrap(fault.Unavailable, "remove the manifest of before", err)
	}
	built := map[string][]manifest.Zip{} // by program
	for i, f := range m.Functions {
		if built[f.Program] == nil {
			for _, architecture := range b.architectures {
				z, err := b.program(ctx, f.Program, architecture)
				if err != nil {
					return m, err
				}
				built[f.Program] = append(built[f.Program], z)
			}
		}
		m.Functions[i].Zips = built[f.Program]
	}
	return m, manifest.Write(b.out, m)
}

// program compiles the program of functions for an architecture and packs it.
func (b builder) program(ctx context.Context, name, architecture string) (manifest.Zip, error) {
	program := filepath.Join(b.out, architecture, name, bootstrap)
	if err := b.compile(ctx, name, architecture, program); err != nil {
		return manifest.Zip{}, err
	}
	z := manifest.Zip{Architecture: architecture, Path: path.Join(architecture, name+".zip")}
	data, err := os.ReadFile(program)
	if err != nil {
		return z, fault.Wrap(fault.Unavailable, "pack function "+name, err)
	}
	if size := int64(len(data)); size > b.unzipped {
		return z, tooLarge(program, "function %s for %s has %.1f MB unzipped, and Lambda takes %.0f", name, architecture, megabytes(size), megabytes(b.unzipped))
	}
	packed, err := pack(data)
	if err != nil {
		return z, fault.Wrap(fault.Internal, "pack function "+name, err)
	}
	if z.Bytes, z.SHA256 = int64(len(packed)), sum(packed); z.Bytes > b.limit {
		return z, tooLarge(program, "function %s for %s has %.1f MB zipped, and Lambda takes %.0f: the program has %.1f MB", name, architecture,
			megabytes(z.Bytes), megabytes(b.limit), megabytes(int64(len(data))))
	}
	return z, fault.Wrap(fault.Unavailable, "pack function "+name, os.WriteFile(filepath.Join(b.out, filepath.FromSlash(z.Path)), packed, 0o644))
}

func tooLarge(program, format string, args ...any) error {
	return fault.New(fault.TooLarge, format, args...).WithHint("go version -m %s lists the modules that it links; take out what the pipelines do not need", program)
}

// compile builds a program that depends on its sources and Go's version alone: no paths, no commit, no build id, nothing that
// this machine's environment says of how to build.
func (b builder) compile(ctx context.Context, name, architecture, program string) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return fault.Wrap(fault.Unavailable, "compile function "+name, err)
	}
	arguments := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", program}, lean(name)...)
	cmd := exec.CommandContext(ctx, "go", append(arguments, "./functions/"+name)...)
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	switch err := cmd.Run(); {
	case ctx.Err() != nil:
		return fault.Wrap(fault.Canceled, "compile function "+name, ctx.Err())
	case err != nil:
		return fault.Wrap(fault.Invalid, fmt.Sprintf("compile function %s for %s", name, architecture), fmt.Errorf("%w\n%s", err, strings.TrimSpace(out.String())))
	}
	return nil
}
