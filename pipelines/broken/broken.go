// Package broken is a job that fails on purpose, so that a newcomer can see an alert
// arrive, and with how=none see it resolved.
package broken

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/table"
	"waggle/shared/waggle"
)

// Config says how to fail: waggle run gallery_broken --config how=panic.
type Config struct {
	How   string `help:"what broken_middle does: error, panic, timeout, kill (its own process), check (its value fails a check) or none"`
	Until string `help:"broken_source waits until this file is there, a path or blob URL: time to cancel the run, or to kill its process; empty: it does not wait"`
}

var config = asset.NewConfig(Config{How: "error"})

// lookEvery is how often it is looked for the file that is waited for.
const lookEvery = 200 * time.Millisecond

// ways are the values of how.
var ways = []string{"error", "panic", "timeout", "kill", "check", "none"}

var brokenSource = asset.New1("broken_source", count, config, &asset.Options{Group: "broken", Description: "Three numbers."})

func count(ctx *asset.Context, cfg Config) ([]int, error) {
	if cfg.Until != "" {
		if err := await(ctx, cfg.Until); err != nil {
			return nil, err
		}
	}
	return []int{1, 2, 3}, nil
}

// await waits until a file is there.
func await(ctx *asset.Context, path string) error {
	folder, file := ".", path
	if i := strings.LastIndexByte(path, '/') + 1; i > 0 {
		folder, file = path[:i], path[i:]
	}
	ctx.Log.Info("waiting", "until", table.At(folder).Path(file), "pid", os.Getpid())
	for look := time.NewTicker(lookEvery); ; {
		if there, err := table.At(folder).Has(ctx, file); there || err != nil {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var brokenMiddle = asset.New2("broken_middle", double, brokenSource, config, &asset.Options{
	Group:       "broken",
	Description: "The numbers doubled, or the failure that was asked for.",
	Timeout:     2 * time.Second,
})

func double(ctx *asset.Context, numbers []int, cfg Config) ([]int, error) {
	doubled := make([]int, len(numbers))
	for i, n := range numbers {
		doubled[i] = 2 * n
	}

	failure := fmt.Sprintf("deliberate failure: broken_middle was asked to fail (how=%s)", cfg.How)
	switch cfg.How {
	case "none":
		return doubled, nil
	case "error":
		return nil, errors.New(failure)
	case "panic":
		panic(failure)
	case "timeout":
		ctx.Log.Warn("waiting for the timeout")
		<-ctx.Done()
		return nil, ctx.Err()
	case "kill":
		ctx.Log.Warn("killing the process", "pid", os.Getpid())
		return nil, killOurselves(ctx)
	case "check":
		doubled[0] = -1 // check_numbers_are_positive finds it
		return doubled, nil
	default:
		return nil, fmt.Errorf("how=%s is not a way to fail: use one of %s", cfg.How, strings.Join(ways, ", "))
	}
}

// killOurselves ends the process without a chance to say goodbye, as a machine without memory would.
func killOurselves(ctx *asset.Context) error {
	ourselves, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := ourselves.Kill(); err != nil {
		return err
	}
	<-ctx.Done() // the signal is on its way
	return ctx.Err()
}

var checkNumbersArePositive = check.New1("check_numbers_are_positive", numbersArePositive, brokenMiddle, check.Blocking)

func numbersArePositive(_ *asset.Context, numbers []int) (check.Result, error) {
	bad := 0
	for _, n := range numbers {
		if n <= 0 {
			bad++
		}
	}
	return check.Result{
		Passed:      bad == 0,
		Description: fmt.Sprintf("%d of %d numbers are not positive", bad, len(numbers)),
		Metadata:    metadata.Map{"not_positive": bad},
	}, nil
}

var brokenEnd = asset.New1("broken_end", sum, brokenMiddle, &asset.Options{Group: "broken", Description: "The sum of the doubled numbers."})

func sum(ctx *asset.Context, numbers []int) (int, error) {
	total := 0
	for _, n := range numbers {
		total += n
	}
	ctx.AddMetadata(metadata.Map{"total": total})
	return total, nil
}

var assets = asset.List{brokenSource, brokenMiddle, brokenEnd}

var galleryBroken = job.New("gallery_broken", assets, &job.Options{
	Description: "Fails in the way that --config how= asks for; how=none succeeds.",
})

// Definitions is the job that fails on purpose.
var Definitions = waggle.Definitions{
	Assets: assets,
	Checks: check.List{checkNumbersArePositive},
	Jobs:   job.List{galleryBroken},
}
