package notice_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"waggle/pipelines"
	"waggle/shared/notice"
	"waggle/shared/run"
	"waggle/shared/waggletest"
)

func TestTheGallerysRunIsTold(t *testing.T) {
	t.Parallel()
	r := waggletest.RunJob(t, pipelines.Definitions, "gallery", &waggletest.Options{Config: map[string]any{"output_dir": t.TempDir()}})
	told := notice.Of(r.Record, notice.History{}, notice.Place{})
	c := full(t, told.Report())
	if os.Getenv("SHOW") != "" {
		fmt.Println(c.Line, "\n", c.Text, len(c.HTML), len(c.Blocks))
	}
	for _, want := range []string{"SUCCESS gallery", "sales_transform", "rows set aside: "} {
		if !strings.Contains(c.Text, want) {
			t.Errorf("no %q in\n%s", want, c.Text)
		}
	}
	w := full(t, told.WarningsReport())
	var file struct {
		RunID    run.ID `json:"run_id"`
		Job      string
		Warnings []struct {
			Asset, Check, Severity string
			Metadata               map[string]any
			Validation             *struct {
				RemovedRows int `json:"removed_rows"`
			} `json:"validation_warnings"`
		}
	}
	if err := json.Unmarshal(w.Attachments[0].Data, &file); err != nil || file.RunID != r.ID || file.Job != "gallery" || len(file.Warnings) != len(told.Warnings) {
		t.Fatalf("%v, %+v", err, file)
	}
	checks, assets := 0, 0
	for _, one := range file.Warnings {
		if one.Check != "" {
			checks++
		} else if one.Validation != nil && one.Validation.RemovedRows > 0 {
			assets++
		}
	}
	if checks != 1 || assets != 2 { // check_sales_data_quality; both transforms
		t.Errorf("%d checks and %d assets warn: %s", checks, assets, w.Attachments[0].Data)
	}
}

func TestEachWayToBreakIsToldWithItsRealError(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{
		"error": "deliberate failure: broken_middle was asked to fail (how=error)",
		"panic": "deliberate failure: broken_middle was asked to fail (how=panic)",
		"check": "1 of 3 numbers are not positive",
	} {
		r := waggletest.RunJob(t, pipelines.Definitions, "gallery_broken", &waggletest.Options{Config: map[string]any{"how": how}})
		c := full(t, notice.Of(r.Record, notice.History{}, notice.Place{}).Report())
		if os.Getenv("SHOW") != "" {
			fmt.Println(c.Line, "\n", c.Text)
		}
		if !strings.Contains(c.Line, want[:31]) || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(c.Text, "| ", "")), " "), want) || !strings.Contains(c.Text, "BLOCKED broken_end") {
			t.Errorf("how=%s: %s\n%s", how, c.Line, c.Text)
		}
	}
}
