//go:build !aws

package main

import (
	"context"
	"iter"

	"waggle/shared/cli"
	"waggle/shared/store"
)

// A laptop's binary links no cloud's SDK: it has no such stores, and knows no deployments.
var (
	stores   map[string]func(ctx context.Context, name, home string) (*store.Store, error)
	deployed func(ctx context.Context, name string) (*cli.Deployed, error)
	examine  func(ctx context.Context, name string) iter.Seq[cli.Finding]
)
