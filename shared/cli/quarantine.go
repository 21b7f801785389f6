package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/schema"
	"waggle/shared/store"
)

func (s *session) quarantineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "Look at rows that assets set aside",
		Example: `  waggle quarantine show sales_transform
  waggle quarantine replay sales_transform`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(s.quarantineShowCommand(), s.quarantineReplayCommand())
	return cmd
}

// ofRun adds the flag that chooses another run than the last one.
func (s *session) ofRun(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "run", "", "those of this `RUN`, not of the last one")
	_ = cmd.RegisterFlagCompletionFunc("run", s.completeRuns)
}

// quarantines reads what an asset set aside, in its newest materialization or in that of a run.
func (s *session) quarantines(ctx context.Context, st *store.Store, key run.AssetKey, runName string) (run.Materialization, []*schema.Quarantine, error) {
	m, err := s.madeBy(ctx, st, key, runName)
	if err != nil {
		return m, nil, err
	}
	var list []*schema.Quarantine
	for _, blob := range schema.Quarantined(m.Metadata) {
		data, err := st.GetBlob(ctx, blob)
		if err != nil {
			return m, nil, s.unreadable(m, err)
		}
		q, err := schema.ReadQuarantine(data)
		if err != nil {
			return m, nil, s.unreadable(m, err)
		}
		list = append(list, q)
	}
	return m, list, nil
}

// unreadable says whose rows they are that are gone or broken, and what to do.
func (s *session) unreadable(m run.Materialization, err error) error {
	var was *fault.Error // its hint would be of the file
	if !errors.As(err, &was) || was.Code != fault.NotFound && was.Code != fault.Corrupt {
		return err
	}
	return fault.New(fault.Corrupt, "what %s set aside in run %s cannot be read: %w", m.Asset, m.Run.Short(), was.Err).
		WithHint("materialize it again with `%s`", s.call("run", "--select", string(m.Asset)))
}

// madeBy is the newest materialization of an asset, or that of a run.
func (s *session) madeBy(ctx context.Context, st *store.Store, key run.AssetKey, runName string) (run.Materialization, error) {
	if _, err := s.findAsset(ctx, st, key); err != nil {
		return run.Materialization{}, err
	}
	if runName == "" {
		history, err := st.History(ctx, key, 1)
		if err == nil && len(history) == 0 {
			err = fault.New(fault.NotFound, "%s was never made", key).WithHint("run a job that makes it")
		}
		if err != nil {
			return run.Materialization{}, err
		}
		return history[0], nil
	}
	id, err := st.Find(ctx, runName)
	if err != nil {
		return run.Materialization{}, err
	}
	fold, _, err := st.Fold(ctx, id)
	if err != nil {
		return run.Materialization{}, err
	}
	for _, m := range fold.Record.Materializations {
		if m.Asset == key {
			return m, nil
		}
	}
	return run.Materialization{}, fault.New(fault.NotFound, "run %s did not make %s", id.Short(), key).WithHint("`%s` says what it made", s.call("runs", "show", id.Short()))
}

func noneAside(m run.Materialization) string {
	return fmt.Sprintf("%s set no row aside in run %s", m.Asset, m.Run.Short())
}
