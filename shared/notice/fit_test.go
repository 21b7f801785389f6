package notice_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/metadata"
	"waggle/shared/notice"
	"waggle/shared/notice/noticetest"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// hostile are texts that break what is not careful.
var hostile = []string{"", " ", "\n", "plain", "<script>alert(1)</script>", "<!channel> &amp; <@U1> *b* _i_ ~s~ `x` ```y``` :fire:", "a\r\nBcc: x@y.z",
	"\x00\x1b[31mred\x1b[0m", "\xff\xfe broken", "👩‍👩‍👧‍👦🏳️‍🌈 𝔘𝔫𝔦", "\u202egnp.exe", "| a | b |\n|---|---|", "[x](javascript:alert(1))", "<no name>",
	"日本語のとても長いエラーメッセージ", "{{.}} ]]> --> </style>", "%s %d %!v", "https://x.example/" + strings.Repeat("a", 300), strings.Repeat("𝔘", 5_000), strings.Repeat("`", 400),
	strings.Repeat("&", 9_000), strings.Repeat("line\n", 2_000)}

func text() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(hostile), rapid.String(), rapid.StringN(0, 400, -1))
}

func moment() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "seconds"), 0)
	})
}

func values() *rapid.Generator[metadata.Values] {
	return rapid.Custom(func(t *rapid.T) metadata.Values {
		m := metadata.Map{}
		for range rapid.IntRange(0, 5).Draw(t, "values") {
			m[text().Draw(t, "label")] = rapid.OneOf(text().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Just(any(nil)),
				rapid.SliceOfN(text(), 0, 3).AsAny(), rapid.Map(text(), func(s string) any { return metadata.Markdown(s) }),
				rapid.Just(any(metadata.TableSchema([]metadata.Column{{Name: "<a>", Type: "int64"}})))).Draw(t, "value")
		}
		if rapid.Bool().Draw(t, "warns") {
			m[notice.WarningsLabel] = rapid.OneOf(text().AsAny(), rapid.SliceOfN(text(), 0, 3).AsAny(),
				rapid.Just(any(map[string]any{"removed_rows": 3, "errors": []map[string]any{{"column": "<c>", "check": "`", "count": 2}}}))).Draw(t, "warning")
		}
		encoded, _ := m.Encode() // what cannot be encoded is left out, as in a run
		return encoded
	})
}

// record draws a record that need not make sense.
func record() *rapid.Generator[run.Record] {
	return rapid.Custom(func(t *rapid.T) run.Record {
		r := run.Record{ID: run.ID(text().Draw(t, "id")), Status: rapid.SampledFrom(run.Statuses()).Draw(t, "status"), Reason: run.Reason(text().Draw(t, "reason")),
			Error: text().Draw(t, "error"), WillRetry: rapid.Bool().Draw(t, "retry"), Launched: moment().Draw(t, "launched"), Started: moment().Draw(t, "started"), Ended: moment().Draw(t, "ended")}
		r.Request = run.Request{Job: text().Draw(t, "job"), CodeVersion: text().Draw(t, "code"), Config: run.Config{}, Tags: map[string]string{},
			Parent: run.ID(text().Draw(t, "parent")), Retries: rapid.IntRange(0, 3).Draw(t, "retries")}
		for range rapid.IntRange(0, 9).Draw(t, "config") {
			r.Request.Config[text().Draw(t, "key")] = rapid.OneOf(text().AsAny(), rapid.Int().AsAny(), rapid.Just(any(nil)), rapid.SliceOfN(text(), 0, 2).AsAny()).Draw(t, "value")
			r.Request.Tags[text().Draw(t, "tag")] = text().Draw(t, "value")
		}
		for range rapid.IntRange(0, 24).Draw(t, "steps") {
			s := run.Step{Key: run.StepKey(text().Draw(t, "step")), Status: rapid.SampledFrom([]run.StepStatus{run.StepFailed, run.StepSkipped, run.StepCanceled, run.StepSucceeded}).Draw(t, "status"),
				Attempt: rapid.IntRange(0, 3).Draw(t, "attempt"), Metadata: values().Draw(t, "metadata")}
			if rapid.Bool().Draw(t, "has error") {
				s.Error = &run.Error{Kind: rapid.SampledFrom([]run.ErrorKind{run.Returned, run.Panicked, run.Died, "new"}).Draw(t, "kind"), Message: text().Draw(t, "message"), Stack: text().Draw(t, "stack")}
			}
			if rapid.Bool().Draw(t, "has skip") {
				s.Skipped = &run.Skip{Step: run.StepKey(text().Draw(t, "by"))}
			}
			r.Steps = append(r.Steps, s)
		}
		for range rapid.IntRange(0, 32).Draw(t, "materializations") {
			r.Materializations = append(r.Materializations, run.Materialization{Asset: run.AssetKey(text().Draw(t, "asset")), Metadata: values().Draw(t, "metadata"),
				Duration: time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "took"))})
		}
		for range rapid.IntRange(0, 18).Draw(t, "checks") {
			r.Checks = append(r.Checks, run.CheckResult{Asset: run.AssetKey(text().Draw(t, "asset")), Check: text().Draw(t, "check"), Passed: rapid.Bool().Draw(t, "passed"),
				Status:   rapid.SampledFrom([]run.CheckStatus{run.CheckFailed, run.CheckSucceeded, run.CheckExecutionFailed, run.CheckSkipped}).Draw(t, "status"),
				Blocking: rapid.Bool().Draw(t, "blocking"), Severity: rapid.SampledFrom([]run.Severity{"", run.SeverityWarn, run.SeverityError}).Draw(t, "severity"),
				Description: text().Draw(t, "description"), Metadata: values().Draw(t, "metadata"), Error: text().Draw(t, "error")})
		}
		return r
	})
}

func places() *rapid.Generator[notice.Place] {
	return rapid.Custom(func(t *rapid.T) notice.Place {
		return notice.Place{Environment: text().Draw(t, "environment"), LinkBase: rapid.SampledFrom([]string{"", "https://w.example", "javascript:alert(1)"}).Draw(t, "base"),
			Location: rapid.SampledFrom([]*time.Location{nil, time.UTC, time.FixedZone("X", 3600)}).Draw(t, "zone")}
	})
}

func TestAnyRecordGivesValidContentInEverySize(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, place := record().Draw(t, "record"), places().Draw(t, "place")
		h := notice.History{FailingSince: moment().Draw(t, "since"), Failures: rapid.IntRange(0, 9).Draw(t, "failures")}
		if rapid.Bool().Draw(t, "has success") {
			before := record().Draw(t, "before")
			h.LastSuccess = &before
		}
		if len(r.Steps) > 0 {
			h.Logs = map[run.StepKey][]string{r.Steps[0].Key: rapid.SliceOfN(text(), 0, 8).Draw(t, "log")}
		}
		told := notice.Of(r, h, place)
		contents(t, told.Report())
		contents(t, told.WarningsReport())
		contents(t, notice.Resolved{Run: told, Since: moment().Draw(t, "failing"), Failures: 2, LastError: text().Draw(t, "last")})
		contents(t, notice.Update{Run: told, Before: text().Draw(t, "earlier")})
		contents(t, notice.FixedSince(told, run.ID(text().Draw(t, "by")), moment().Draw(t, "fixed")))
	})
}

func TestAnythingElseThatIsToldIsValidInEverySize(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		place := places().Draw(t, "place")
		s := func(label string) string { return text().Draw(t, label) }
		items := make([]notice.Item, rapid.IntRange(0, 500).Draw(t, "items"))
		one := notice.Item{Name: s("name"), Status: rapid.SampledFrom(run.Statuses()).Draw(t, "status"), Error: s("error"), Time: moment().Draw(t, "time")}
		for i := range items {
			items[i] = one
			items[i].Run, items[i].Name = run.ID(fmt.Sprintf("%036x", i)), one.Name+fmt.Sprint(i%7)
		}
		contents(t, notice.Digest{Items: items, Late: s("late"), Place: place})
		contents(t, notice.CaughtUp{Channel: s("channel"), Since: moment().Draw(t, "since"), Until: moment().Draw(t, "until"), Items: items, GivenUp: 1, Place: place})
		contents(t, notice.Missed{Schedule: s("schedule"), Job: s("job"), Tick: moment().Draw(t, "tick"), Seen: moment().Draw(t, "seen"), Run: run.ID(s("run")), Reason: s("reason"), Place: place})
		contents(t, notice.SensorDead{Sensor: s("sensor"), Event: s("event"), About: s("about"), Attempts: 3, Error: s("error"), Stack: s("stack"), Place: place})
		contents(t, notice.Parked{Channel: s("channel"), Reason: s("reason"), Error: s("error"), Next: moment().Draw(t, "next"), GiveUp: moment().Draw(t, "give up"), Place: place})
		day := notice.Daily{Day: moment().Draw(t, "day"), Place: place}
		for range rapid.IntRange(0, 60).Draw(t, "jobs") {
			day.Jobs = append(day.Jobs, notice.DailyJob{Job: s("job"), Runs: 3, Failed: rapid.IntRange(0, 3).Draw(t, "failed"), LastState: one.Status, LastError: s("error"), Since: one.Time})
		}
		contents(t, day)
	})
}

func TestFailedStepsAreCutAndCountedHoweverMany(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "branch_00000 failed.", 50: "+35 more failed steps", 1_000: "+985 more failed steps", 10_000: "+9,985 more failed steps"} {
		c := full(t, noticetest.Many(n).Report())
		for form, text := range map[string]string{"text": c.Text, "html": shown(c.HTML), "markdown": c.Markdown} {
			if !strings.Contains(strings.NewReplacer("`", "", "\\", "").Replace(text), want) {
				t.Errorf("%d steps: the %s does not say %q", n, form, want)
			}
		}
		if !strings.Contains(string(c.Blocks), "runs show") || !strings.Contains(string(c.JSON), fmt.Sprintf(`"failed_steps_total":%d`, n)) {
			t.Errorf("%d steps: the blocks do not say what to do, or the JSON does not count", n)
		}
	}
}

func TestAHugeErrorIsCutAtWholeCharactersAndCounted(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"x", "é", "𝔘", "&", "`", "long words and\n"} {
		huge := strings.Repeat(unit, 1<<20/len(unit))
		r := noticetest.Many(1)
		r.Error, r.FailedSteps[0].Error, r.FailedSteps[0].Log = huge, huge, []string{huge, huge}
		c := full(t, r.Report())
		for form, text := range map[string]string{"text": c.Text, "html": c.HTML, "markdown": c.Markdown, "blocks": string(c.Blocks)} {
			if !strings.Contains(text, " characters") || strings.Contains(text, "\uFFFD") {
				t.Errorf("%q: the %s does not count what was cut, or cuts within a character", unit, form)
			}
		}
	}
}

func TestThousandsOfChecksAndWarningsFit(t *testing.T) {
	t.Parallel()
	r := noticetest.Succeeded()
	for i := range 5_000 {
		c := run.CheckResult{Asset: "a", Check: fmt.Sprintf("check_%d", i), Status: run.CheckFailed, Severity: run.SeverityWarn, Description: strings.Repeat("why ", 200)}
		r.Checks = append(r.Checks, c)
		r.Warnings = append(r.Warnings, notice.Warning{Asset: c.Asset, Check: c.Check, Severity: c.Severity, Description: c.Description})
	}
	c := full(t, r.Report())
	if !strings.Contains(c.Text, "+4,993 more warnings") || !strings.Contains(c.Text, "+4,988 more checks") {
		t.Errorf("what was cut is not counted:\n%s", c.Text)
	}
	w := contents(t, r.WarningsReport())[notify.Brief]
	if w.Subject != "[Waggle] 5,003 validation warnings in gallery" || strings.Count(string(w.Attachments[0].Data), `"check": "check_`) != 5_001 {
		t.Errorf("%s; the attachment has %d checks", w.Subject, strings.Count(string(w.Attachments[0].Data), `"check": "check_`))
	}
}

func TestTenThousandFailuresAreAFewMessagesThatNameEachOnce(t *testing.T) {
	t.Parallel()
	for shape, at := range map[string]func(i int) string{
		"launched together": func(i int) string { return fmt.Sprintf("01a200fb-54e8-7%03x-8%03x-5c1d00000000", i%4096, i/4) },
		"one a millisecond": func(i int) string { return fmt.Sprintf("01a200fb-%04x-7000-8000-5c1d00000000", i) },
	} {
		items := make([]notice.Item, 10_000)
		for i := range items {
			items[i] = notice.Item{Run: run.ID(at(i)), Name: fmt.Sprintf("job_%02d", i%100), Status: run.Failure, Error: "dial tcp 10.0.3.7:5432: connect: connection refused"}
		}
		digests := notice.Digests(items, "The channel takes 1 message a second.", notice.Place{Environment: "production"})
		named := 0
		for i, d := range digests {
			c := full(t, d)
			if c.Blocks == nil || !strings.Contains(c.Subject, fmt.Sprintf("10,000 failures (%d of %d)", i+1, len(digests))) {
				t.Errorf("%s: message %d has blocks of %d bytes and the subject %q", shape, i+1, len(c.Blocks), c.Subject)
			}
			mail, blocks := shown(c.HTML), string(c.Blocks)
			for _, item := range d.Items {
				id := string(item.Run)[:d.Digits]
				if strings.Count(blocks, id) == 0 || !strings.Contains(mail, id) || !strings.Contains(c.Text, id) || !strings.Contains(c.Markdown, id) || !strings.Contains(string(c.JSON), string(item.Run)) {
					t.Fatalf("%s: message %d does not name %s in each form", shape, i+1, item.Run)
				}
				named++
			}
		}
		prefixes := map[string]bool{}
		for _, item := range items {
			prefixes[string(item.Run)[:digests[0].Digits]] = true
		}
		if named != len(items) || len(prefixes) != len(items) || len(digests) > 28 {
			t.Errorf("%s: %d runs named, %d told apart, in %d messages", shape, named, len(prefixes), len(digests))
		}
	}
}

func TestDigestsOfAnyJobsFitSlackAndNameEach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names, errors := rapid.SliceOfN(text(), 1, 600).Draw(t, "names"), rapid.SliceOfN(text(), 1, 20).Draw(t, "errors")
		items := make([]notice.Item, rapid.IntRange(0, 900).Draw(t, "items"))
		for i := range items {
			items[i] = notice.Item{Run: run.ID(fmt.Sprintf("01a200fb-54e8-7000-8000-%012x", i*7)), Name: names[i%len(names)], Error: errors[i%len(errors)],
				Status: []run.Status{run.Failure, run.Success}[i%3/2]}
		}
		count := 0
		for _, d := range notice.Digests(items, "", notice.Place{}) {
			c := contents(t, d)[notify.Full]
			if c.Blocks == nil {
				t.Fatalf("%d items have no blocks", len(d.Items))
			}
			count += len(d.Items)
			for _, item := range d.Items {
				if !strings.Contains(string(c.Blocks), string(item.Run)[:d.Digits]) {
					t.Fatalf("%s is not named", item.Run)
				}
			}
		}
		if count != len(items) {
			t.Fatalf("%d of %d", count, len(items))
		}
	})
}

func TestASmallDigestHasBlocksThatNameEachRun(t *testing.T) {
	t.Parallel()
	d := notice.Digest{Items: noticetest.Items(60)}
	c := full(t, d)
	for _, item := range d.Items {
		if !strings.Contains(string(c.Blocks), item.Run.Short()) {
			t.Fatalf("%s is not in the blocks", item.Run)
		}
	}
	if got := notice.Digests(nil, "", notice.Place{}); got != nil {
		t.Errorf("a digest of nothing: %v", got)
	}
}
