//go:build duckdb

package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// quiet is a step without a run: what is logged and reported is dropped.
type quiet struct{}

var errNoRun = errors.New("there is no run")

func (quiet) Handler() slog.Handler                                { return slog.DiscardHandler }
func (quiet) AddMetadata(metadata.Values, error)                   {}
func (quiet) Load(context.Context, *asset.Definition) (any, error) { return nil, errNoRun }
func (quiet) Previous(context.Context) (any, error)                { return nil, errNoRun }
func (quiet) Run(context.Context, run.ID) (run.Record, error)      { return run.Record{}, errNoRun }
func (quiet) Keep(context.Context, string, []byte) (string, error) { return "", errNoRun }
func (quiet) Kept(context.Context, string) ([]byte, error)         { return nil, errNoRun }
func (quiet) Now() time.Time                                       { return time.Now() }
func (quiet) Info() asset.Info                                     { return asset.Info{Attempt: 1} }
func (quiet) Notify(context.Context, notify.Sendable, []*notify.Channel) error {
	return errNoRun
}
func (quiet) Before(context.Context) (run.Materialization, error) {
	return run.Materialization{}, errNoRun
}
func (quiet) Materialization(context.Context, *asset.Definition) (run.Materialization, error) {
	return run.Materialization{}, errNoRun
}
func (quiet) Latest(context.Context, asset.Key) (run.Materialization, error) {
	return run.Materialization{}, errNoRun
}
