package notice_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"waggle/shared/notice"
	"waggle/shared/notice/noticetest"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// luminance of a colour, by WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 24)
	if err != nil || len(hex) != 7 {
		t.Fatalf("colour %q: %v", hex, err)
	}
	part := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestEveryColourOfTextIsReadableOnBothBackgrounds(t *testing.T) {
	t.Parallel()
	colours := map[string]notice.Colour{"link": notice.Accent()}
	for _, role := range []report.Role{report.Plain, report.Strong, report.Muted, report.Good, report.Bad, report.Warn, report.Running, report.Idle, report.Blocked} {
		colours["role "+string(role)] = notice.ColourOf(role)
	}
	for name, c := range colours {
		for _, on := range notice.Backgrounds() {
			if light, dark := contrast(t, c.Light, on.Light), contrast(t, c.Dark, on.Dark); light < 4.5 || dark < 4.5 {
				t.Errorf("%s: %.2f:1 on %s, %.2f:1 on %s", name, light, on.Light, dark, on.Dark)
			}
		}
	}
	fill, words := notice.Button()
	if c := contrast(t, fill, words); c < 9.2 || c > 9.4 {
		t.Errorf("the button has %.2f:1, the brand's page says 9.3", c)
	}
	if c := contrast(t, "#777777", "#FFFFFF"); c < 4.47 || c > 4.49 { // the known example of just too little
		t.Errorf("the formula gives %.3f", c)
	}
}

func TestSubjectsAreThoseOfTheBrand(t *testing.T) {
	t.Parallel()
	one := noticetest.Succeeded()
	one.Warnings = one.Warnings[:1]
	for want, r := range map[string]notify.Sendable{
		"[Waggle] gallery failed":                   noticetest.Failed().Report(),
		"[Waggle] gallery completed":                noticetest.Succeeded().Report(),
		"[Waggle] gallery canceled":                 noticetest.Canceled().Report(),
		"[Waggle] gallery started":                  noticetest.Started().Report(),
		"[Waggle] 3 validation warnings in gallery": noticetest.Succeeded().WarningsReport(),
		"[Waggle] 1 validation warning in gallery":  one.WarningsReport(),
		"Re: [Waggle] gallery failed":               notice.Resolved{Run: noticetest.Succeeded()},
		"[Waggle] channel slack is broken":          notice.Parked{Channel: "slack"},
		"[Waggle] sensor email_warnings failed":     notice.SensorDead{Sensor: "email_warnings"},
		"[Waggle] gallery_daily missed its time":    notice.Missed{Schedule: "gallery_daily"},
		"[Waggle] daily summary 2026-11-22":         noticetest.Daily(),
		"[Waggle] 1 failure":                        notice.Digest{Items: noticetest.Items(1)},
		"[Waggle] 3 failures":                       notice.Digest{Items: noticetest.Items(3)},
		"[Waggle] channel slack works again":        notice.CaughtUp{Channel: "slack"},
	} {
		for rung, c := range contents(t, r) {
			if c.Subject != want {
				t.Errorf("rung %d: %q, want %q", rung, c.Subject, want)
			}
		}
	}
}

func TestTheFirstLineIsTheStateTheSubjectAndANumber(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]notify.Sendable{
		"✗ FAILED gallery_broken: broken_middle: panic: deliberate failure: broken_middle was asked to fail (how=panic). 1 asset blocked": noticetest.First().Report(),
		"✓ SUCCESS gallery (production): 6 assets":                noticetest.Succeeded().Report(),
		"▲ WARNING gallery (production): 3 validation warnings":   noticetest.Succeeded().WarningsReport(),
		"– CANCELED gallery (production): 2 steps not run":        noticetest.Canceled().Report(),
		"✗ PARKED channel slack: no_service. 37 messages waiting": notice.Parked{Channel: "slack", Error: "no_service", Waiting: 37},
	} {
		c := full(t, r)
		if c.Line != want {
			t.Errorf("%q, want %q", c.Line, want)
		}
		if first, _, _ := strings.Cut(c.Text, "\n"); !strings.HasPrefix(want, strings.Split(first, ":")[0]) {
			t.Errorf("the text begins with %q", first)
		}
	}
}

func TestAFailureIsToldInTheOrderOfATiredPerson(t *testing.T) {
	t.Parallel()
	order := []string{"FAILED gallery", "sales_transform failed", "3 failures in a row in 2 h 5 min", "Worked until 2026-11-21 02:00", "no column price_usd",
		"joined 508 sales", "b81e004 → 7f3c2a1", "25000000 → 30000000", "1,204 → 508", "BLOCKED sales_output", "runs show", "runs retry"}
	c := full(t, noticetest.Failed().Report())
	for form, text := range map[string]string{"text": c.Text, "html": shown(c.HTML[strings.Index(c.HTML, "<h1"):]), "markdown": c.Markdown, "blocks": string(c.Blocks)} {
		text = strings.Join(strings.Fields(strings.NewReplacer("`", "", `\n`, " ", `\`, "", "|", "").Replace(text)), " ")
		at := 0
		for _, want := range order {
			i := strings.Index(strings.ReplaceAll(text[at:], "FAILEDgallery", "FAILED gallery"), want)
			if i < 0 {
				t.Errorf("%s: %q does not follow in %q", form, want, text[at:])
				break
			}
			at += i
		}
	}
}

func TestWhatARunSaysIsNeverMarkup(t *testing.T) {
	t.Parallel()
	r := noticetest.Many(1)
	nasty := "<script>alert('x')</script> <!channel> *b* `tick` ```fence``` [a](http://b) {{.}} &amp;"
	r.Name, r.Error, r.FailedSteps[0].Error = "a<b>&c", nasty, nasty
	c := full(t, r.Report())
	if strings.Contains(c.HTML, "<script") || !strings.Contains(shown(c.HTML), nasty) {
		t.Errorf("the mail does not show the error as it is")
	}
	if strings.Contains(string(c.Blocks), "<!channel>") || !strings.Contains(string(c.Blocks), "&lt;!channel&gt; *b* 'tick' '''fence'''") {
		t.Errorf("the blocks are %s", c.Blocks)
	}
	if !strings.Contains(c.Markdown, "````text\n") || !strings.Contains(c.Text, "<script>alert('x')</script>") {
		t.Errorf("the Markdown or text is not as it is:\n%s\n%s", c.Markdown, c.Text)
	}
}

func TestADayTellsJobsFromWhatWasSelectedByHand(t *testing.T) {
	t.Parallel()
	byHand := notice.DailyJob{Runs: 2, Failed: 1, LastState: run.Failure}
	works := notice.DailyJob{Job: "gallery", Runs: 1, LastState: run.Success}
	for want, jobs := range map[string][]notice.DailyJob{
		"2 runs: 1 succeeded, 1 failed.":                                         {byHand},
		"3 runs of 1 job and of assets selected by hand: 2 succeeded, 1 failed.": {byHand, works},
		"1 run of 1 job: 1 succeeded.":                                           {works},
		"Nothing ran.":                                                           nil,
	} {
		d := notice.Daily{Day: time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC), Jobs: jobs}
		c := full(t, d)
		if !strings.Contains(c.Text, want) || strings.Contains(c.Text, "FAILING NOW") || strings.Contains(c.Text, "BY HAND") != (len(jobs) > 0 && jobs[0].Job == "") {
			t.Errorf("want %q:\n%s", want, c.Text)
		}
		if d.Nothing() != (jobs == nil) {
			t.Errorf("Nothing is %t with %d jobs", d.Nothing(), len(jobs))
		}
	}
}
