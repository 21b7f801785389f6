//go:build !aws

package main

import (
	"context"

	"waggle/shared/store"
)

// stores is empty on a laptop: no cloud's SDK is linked.
var stores map[string]func(ctx context.Context, name, home string) (*store.Store, error)
