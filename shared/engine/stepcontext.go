package engine

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// The methods of asset.Step: what a step's function may ask of its attempt.
var _ asset.Step = (*attempt)(nil)

func (a *attempt) Handler() slog.Handler { return &logHandler{attempt: a} }

func (a *attempt) AddMetadata(values metadata.Values, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.metadata == nil {
		a.metadata = values
	} else {
		maps.Copy(a.metadata, values)
	}
	if err != nil {
		a.bad = append(a.bad, err)
	}
}

func (a *attempt) Load(_ context.Context, def *asset.Definition) (any, error) {
	if err := a.ask(); err != nil {
		return nil, err
	}
	if err := a.declared("loads", def); err != nil {
		return nil, err
	}
	return a.read(def)
}

// declared returns the error of a question about an asset that the step does not declare to read.
func (a *attempt) declared(verb string, def *asset.Definition) error {
	if slices.Contains(a.step.Reads(), def) {
		return nil
	}
	return fault.New(fault.Invalid, "%s %q, which it does not declare", verb, string(def.Key)).WithHint("add it to Deps")
}

func (a *attempt) Materialization(ctx context.Context, def *asset.Definition) (made run.Materialization, err error) {
	if err := a.declared("asks for the materialization of", def); err != nil {
		return made, err
	}
	found := false
	a.x.journal.Look(func(f *runlog.Fold) {
		for _, m := range slices.Backward(f.Record.Materializations) {
			if m.Asset == def.Key {
				made, found = m, true
				return
			}
		}
	})
	if found {
		made.Metadata = maps.Clone(made.Metadata)
		return made, nil
	}
	return a.x.store.Latest(ctx, def.Key)
}

func (a *attempt) Before(ctx context.Context) (run.Materialization, error) {
	return a.x.store.Before(ctx, a.step.Asset.Key, a.x.id)
}

func (a *attempt) Previous(ctx context.Context) (any, error) {
	if err := a.ask(); err != nil {
		return nil, err
	}
	return a.x.values.previous(ctx, a.step.Asset)
}

func (a *attempt) Latest(ctx context.Context, key asset.Key) (run.Materialization, error) {
	return a.x.store.Latest(ctx, key)
}

func (a *attempt) Run(ctx context.Context, id run.ID) (run.Record, error) {
	if id == a.x.id {
		var record run.Record
		a.x.journal.Look(func(f *runlog.Fold) { record = f.Record.Clone() })
		return record, nil
	}
	fold, _, err := a.x.store.Fold(ctx, id)
	if err != nil {
		return run.Record{}, err
	}
	return fold.Record, nil
}

func (a *attempt) Keep(ctx context.Context, name string, data []byte) (string, error) {
	if err := a.ask(); err != nil {
		return "", err
	}
	ext := path.Ext(name)
	blob := a.x.spill.name(a.step.Key, a.number, fmt.Sprintf("%s-%d%s", fileName(strings.TrimSuffix(name, ext)), a.texts.Add(1), ext))
	return a.x.spill.put(ctx, blob, data)
}

func (a *attempt) Kept(ctx context.Context, blob string) ([]byte, error) {
	if data, ok := a.x.journal.Kept(blob); ok {
		return data, nil
	}
	return a.x.store.GetBlob(ctx, blob)
}

func (a *attempt) Now() time.Time { return a.x.store.Now() }

func (a *attempt) Info() asset.Info {
	req := a.x.request
	return asset.Info{Run: a.x.id, Job: req.Job, Step: a.step.Key, Attempt: a.number, Tags: req.Tags}
}
