package run_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/run"
)

func TestTerminalStatusesNeverChange(t *testing.T) {
	t.Parallel()
	for _, s := range run.Statuses() {
		if s.Terminal() != (len(s.Next()) == 0) {
			t.Errorf("%s: terminal %t, followed by %v", s, s.Terminal(), s.Next())
		}
		for _, next := range run.Statuses() {
			if want := s == next || slices.Contains(s.Next(), next); s.May(next) != want {
				t.Errorf("%s to %s: %t", s, next, s.May(next))
			}
		}
	}
}

func TestEveryStatusIsListedOnceAndLeadsToAnEnd(t *testing.T) {
	t.Parallel()
	all := run.Statuses()
	ends := func(s run.Status) bool { return s.Terminal() || slices.ContainsFunc(s.Next(), run.Status.Terminal) }
	for i, s := range all {
		if slices.Contains(all[:i], s) || !ends(s) {
			t.Errorf("%s is listed twice or never ends", s)
		}
		for _, next := range s.Next() {
			if !slices.Contains(all, next) && next != run.Starting {
				t.Errorf("%s is followed by %s, which is not listed", s, next)
			}
		}
	}
}

func TestOnlyARunThatStartedSucceeds(t *testing.T) {
	t.Parallel()
	for _, s := range []run.Status{run.Queued, run.NotStarted, run.Starting} {
		if s.May(run.Success) {
			t.Errorf("%s may be followed by SUCCESS", s)
		}
		if !s.May(run.Canceled) || !s.May(run.Failure) {
			t.Errorf("%s cannot be canceled or fail", s)
		}
	}
}

func TestAStatusIsReadInAnyCase(t *testing.T) {
	t.Parallel()
	for _, s := range run.Statuses() {
		for _, text := range []string{string(s), strings.ToLower(string(s)), strings.ReplaceAll(strings.ToLower(string(s)), "_", "-")} {
			if got, err := run.ParseStatus(text); err != nil || got != s {
				t.Errorf("%q: %s, %v", text, got, err)
			}
		}
	}
	if _, err := run.ParseStatus("done"); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "one of QUEUED") {
		t.Errorf("%v", err)
	}
}
