package deployment

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/metric"
	"waggle/shared/run"
	"waggle/shared/store"
)

func TestTheFunctionRunSaysHowRunsEnd(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := &Deployment{metrics: metrics{metric.NewLog(&out, "prod", time.Now)}}
	d.Runner().Ended(run.Failure)
	var said map[string]any
	if err := json.Unmarshal(out.Bytes(), &said); err != nil || said[string(metric.RunsFailed)] != 1.0 {
		t.Errorf("%s, %v", &out, err)
	}
}

func TestWhatEndsAndWhatIsSentIsMeasured(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	about := []store.Out{{Run: "r", Time: at.Add(-1500 * time.Millisecond)}}
	for name, c := range map[string]struct {
		act  func(metrics)
		want map[metric.Name]float64
	}{
		"a failure":          {func(m metrics) { m.ended(run.Failure) }, map[metric.Name]float64{metric.RunsFailed: 1}},
		"a success":          {func(m metrics) { m.ended(run.Success) }, map[metric.Name]float64{metric.RunsFailed: 0}},
		"a message sent":     {func(m metrics) { m.concluded(store.Message{State: store.MessageSent, Time: at, Outs: about}) }, map[metric.Name]float64{metric.MessagesDead: 0, metric.AlertMilliseconds: 1500}},
		"one of alerting":    {func(m metrics) { m.concluded(store.Message{State: store.MessageSent, Time: at, Outs: []store.Out{{}}}) }, map[metric.Name]float64{metric.MessagesDead: 0}},
		"a message given up": {func(m metrics) { m.concluded(store.Message{State: store.MessageDead, Time: at, Outs: about}) }, map[metric.Name]float64{metric.MessagesDead: 1}},
		"a message folded":   {func(m metrics) { m.concluded(store.Message{State: store.MessageFolded, Time: at, Outs: about}) }, map[metric.Name]float64{}},
	} {
		var out bytes.Buffer
		c.act(metrics{metric.NewLog(&out, "prod", func() time.Time { return at })})
		got := map[metric.Name]float64{}
		for line := range bytes.Lines(out.Bytes()) {
			var fields map[string]any
			if err := json.Unmarshal(line, &fields); err != nil {
				t.Fatal(err)
			}
			for _, name := range metric.Names() {
				if value, ok := fields[string(name)].(float64); ok {
					got[name] = value
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
