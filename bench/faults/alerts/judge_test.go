package alerts

import (
	"maps"
	"testing"

	"waggle/bench/receiver"
	"waggle/shared/run"
)

const (
	failing = run.ID("01890a5d-ac96-774b-bcce-b302099a8057")
	good    = run.ID("01890a5d-ac96-774b-bcce-b302099a8058")
	blamed  = run.ID("01890a5d-ac96-774b-bcce-b302099a8059")
	unknown = run.ID("01890a5d-ac96-774b-bcce-b302099a8060")
)

func about(ids ...run.ID) receiver.Message {
	m := receiver.Message{}
	for _, id := range ids {
		m.Body += string(id) + " "
	}
	return m
}

// whole is a truth in which nothing is lost or wrong: a good run may fail where an invocation was cut off.
func whole() truth {
	return truth{
		fails: map[run.ID]bool{failing: true, good: false, blamed: false},
		ended: map[run.ID]ending{failing: {status: run.Failure, sent: 1}, good: {status: run.Success}, blamed: {status: run.Failure, sent: 1}},
		posts: []receiver.Message{about(failing), about(blamed)},
	}
}

func TestAWholeTruthIsNeitherLostNorWrong(t *testing.T) {
	t.Parallel()
	if v := judge(whole(), t.Logf); v != (verdict{failed: 2}) {
		t.Errorf("%+v", v)
	}
}

func TestEveryDamageIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(*truth)
		want   verdict
	}{
		"a run is gone":                   {func(t *truth) { delete(t.ended, good) }, verdict{failed: 2, lost: 1}},
		"a run does not end":              {func(t *truth) { t.ended[good] = ending{status: run.Started} }, verdict{failed: 2, lost: 1}},
		"a run is due":                    {func(t *truth) { t.ended[good] = ending{status: run.Success, owed: "it is due"} }, verdict{failed: 2, lost: 1}},
		"an event waits":                  {func(t *truth) { t.ended[failing] = ending{status: run.Failure, owed: "the sensor", sent: 1} }, verdict{failed: 2, lost: 1}},
		"a failure is not told":           {func(t *truth) { t.posts = t.posts[:1] }, verdict{failed: 2, lost: 1}},
		"a failure is told twice":         {func(t *truth) { t.posts = append(t.posts, about(failing)) }, verdict{failed: 2, repeated: 1}},
		"a success is told":               {func(t *truth) { t.posts = append(t.posts, about(good)) }, verdict{failed: 2, wrong: 1}},
		"a broken run succeeds":           {func(t *truth) { t.ended[failing] = ending{status: run.Success}; t.posts = t.posts[1:] }, verdict{failed: 1, wrong: 1}},
		"a run is canceled":               {func(t *truth) { t.ended[good] = ending{status: run.Canceled} }, verdict{failed: 2, wrong: 1}},
		"a message tells of two":          {func(t *truth) { t.posts = append(t.posts, about(failing, good)) }, verdict{failed: 2, wrong: 1}},
		"a message tells of none":         {func(t *truth) { t.posts = append(t.posts, about()) }, verdict{failed: 2, wrong: 1}},
		"a message tells of another":      {func(t *truth) { t.posts = append(t.posts, about(unknown)) }, verdict{failed: 2, wrong: 1}},
		"a message is not stored as sent": {func(t *truth) { t.ended[failing] = ending{status: run.Failure} }, verdict{failed: 2, wrong: 1}},
		"a message is stored twice":       {func(t *truth) { t.ended[failing] = ending{status: run.Failure, sent: 2} }, verdict{failed: 2, wrong: 1}},
		"a post is none":                  {func(t *truth) { t.refused = []string{"no_text"} }, verdict{failed: 2, wrong: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			damaged := whole()
			damaged.ended = maps.Clone(damaged.ended)
			c.damage(&damaged)
			if v := judge(damaged, t.Logf); v != c.want {
				t.Errorf("%+v, want %+v", v, c.want)
			}
		})
	}
}

func TestARepeatWithoutAReasonIsAViolation(t *testing.T) {
	t.Parallel()
	if err := (Figure{Repeated: 2, Ambiguous: 2}).Violation(); err != nil {
		t.Error(err)
	}
	for _, f := range []Figure{{Repeated: 2, Ambiguous: 1}, {Lost: 1}, {Wrong: 1}} {
		if f.Violation() == nil {
			t.Errorf("%+v passes", f)
		}
	}
}
