//go:build !aws

package main

import (
	"context"

	"waggle/shared/notify/senders"
)

// withCloud adds nothing on a laptop: no cloud's SDK is linked.
func withCloud(context.Context, *senders.Options) error { return nil }
