package cli_test

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

// The definitions that the tests run: a shop whose pipeline can go wrong in every way that a person can see.

type order struct {
	ID    int64
	Buyer string
	Cents *int64
}

type shopConfig struct {
	Orders int           `help:"how many orders there are"`
	Fail   string        `help:"what goes wrong: nothing, error, panic, check, retry or lines"`
	Wait   time.Duration `help:"how long slow steps take"`
	Gate   string        `help:"a file that slow steps wait for; empty: they do not"`
}

var settings = asset.NewConfig(shopConfig{Orders: 1234, Fail: "nothing"})

var orders = asset.New1("orders", func(ctx *asset.Context, c shopConfig) ([]order, error) {
	list := make([]order, c.Orders)
	for i := range list {
		list[i] = order{ID: int64(i + 1), Buyer: "buyer | " + fmt.Sprint(i%7), Cents: new(int64(100 * i))}
	}
	ctx.AddMetadata(table.Preview(list, 3), metadata.Map{"source": metadata.Path("https://shop.example/orders.csv")})
	ctx.Log.Info("read the orders", "records", len(list), "first", "order one")
	ctx.Log.Debug("nothing to see")
	return list, nil
}, settings, &asset.Options{Group: "source", Kinds: []string{"csv"}, Description: "What was ordered."})

var totals = asset.New2("totals", func(ctx *asset.Context, list []order, c shopConfig) (map[string]int64, error) {
	defer ctx.Time("adding").Stop()
	sum := int64(0)
	for i, o := range list {
		if c.Fail == "lines" {
			ctx.Log.Info("adding", "order", i)
		}
		sum += *o.Cents
	}
	ctx.AddMetadata(metadata.Map{"total_cents": sum, "orders": len(list)})
	switch c.Fail {
	case "error", "lines":
		ctx.Log.Warn("this will not end well", "orders", len(list))
		return nil, errors.New("orders.csv has no column price_usd; it has id, buyer, cents\nadd the column, or take it out of the sum")
	case "panic":
		panic("an order without a buyer")
	case "retry":
		if ctx.Attempt() == 1 {
			return nil, errors.New("the shop did not answer")
		}
	}
	return map[string]int64{"total": sum}, nil
}, orders, settings, &asset.Options{Group: "sums", Retry: asset.Retry{Max: 0}, Description: "What it comes to."})

var patient = asset.New2("patient_totals", func(ctx *asset.Context, list []order, c shopConfig) (int, error) {
	if c.Fail == "retry" && ctx.Attempt() == 1 {
		return 0, errors.New("the shop did not answer")
	}
	return len(list), nil
}, orders, settings, &asset.Options{Group: "sums", Retry: asset.Retry{Max: 1, Delay: time.Millisecond}})

var invoice = asset.New1("invoice", func(ctx *asset.Context, t map[string]int64) (string, error) {
	ctx.AddMetadata(metadata.Map{
		"file":       metadata.Path("out/invoice.json"),
		"note":       metadata.Markdown("**due** in 30 days"),
		"sent_at":    metadata.Timestamp(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)),
		"tiers":      map[string]int{"small": 3, "large": 1},
		"everything": strings.Repeat("x", 50_000),
		"ratio":      0.1,
		"paid":       false,
		"nothing":    nil,
	})
	return fmt.Sprint(t), nil
}, totals, &asset.Options{Group: "output", Kinds: []string{"json"}})

var mail = asset.Do("mail", func(*asset.Context) error { return nil }, &asset.Options{Group: "output", Deps: asset.List{invoice}})

var checkTotals = check.New2("check_totals", func(_ *asset.Context, t map[string]int64, c shopConfig) (check.Result, error) {
	return check.Result{Passed: c.Fail != "check", Description: "the total is what the bank says", Metadata: metadata.Map{"off_by": 3}}, nil
}, totals, settings, check.Blocking)

var checkBuyers = check.New1("check_buyers", func(_ *asset.Context, list []order) (check.Result, error) {
	return check.Result{Passed: false, Description: "7 buyers have a | in their name", Metadata: metadata.Map{"buyers": 7}}, nil
}, orders, &check.Options{Severity: check.Warn, Description: "Names are names."})

var shop = job.New("shop", asset.List{orders, totals, patient, invoice, mail}, &job.Options{
	Description: "From orders to invoices.", Tags: map[string]string{"team": "sales"}})

// A job whose steps wait.
var slowSource = asset.New1("slow_source", wait, settings, &asset.Options{Group: "slow"})

var slowMiddle = asset.New2("slow_middle", func(ctx *asset.Context, n int, c shopConfig) (int, error) { return wait(ctx, c) }, slowSource, settings, &asset.Options{Group: "slow"})

var slowEnd = asset.New1("slow_end", func(_ *asset.Context, n int) (int, error) { return n, nil }, slowMiddle, &asset.Options{Group: "end"})

func wait(ctx *asset.Context, c shopConfig) (int, error) {
	ctx.Log.Warn("waiting", "for", c.Gate)
	deadline := time.Now().Add(c.Wait)
	for {
		if _, err := os.Stat(c.Gate); c.Gate == "" || err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(time.Until(deadline)):
	}
	return 1, nil
}

var slow = job.New("slow", asset.List{slowSource, slowMiddle, slowEnd}, nil)

// A job of many steps.
func many() asset.List {
	var list asset.List
	for i := range 120 {
		group := fmt.Sprintf("group_%d", i/40+1)
		list = append(list, asset.New1(fmt.Sprintf("part_%03d", i), func(ctx *asset.Context, c shopConfig) (int, error) {
			if i == 57 {
				return 0, errors.New("part 57 is broken")
			}
			if i >= 100 {
				return wait(ctx, c)
			}
			return i, nil
		}, settings, &asset.Options{Group: group}))
	}
	return list
}

var parts = many()

var manyJob = job.New("many", parts, nil)

// A step that does not stop, and one that ends its process while a file is there.
var stubbornStep = asset.New("stubborn_step", func(*asset.Context) (int, error) {
	time.Sleep(time.Minute)
	return 0, nil
}, nil)

var stubborn = job.New("stubborn", asset.List{stubbornStep}, nil)

var beforeDeath = asset.New("before_death", func(*asset.Context) (int, error) { return 1, nil }, nil)

var death = asset.New2("death", func(ctx *asset.Context, n int, c shopConfig) (int, error) {
	if _, err := os.Stat(c.Gate); err != nil {
		return n, nil
	}
	time.Sleep(20 * time.Millisecond) // what was done before is stored by now
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	<-ctx.Done()
	return 0, err
}, beforeDeath, settings, nil)

var deadly = job.New("deadly", asset.List{beforeDeath, death}, nil)

var lonely = asset.New("lonely", func(*asset.Context) (int, error) { return 1, nil }, &asset.Options{Description: "In no job."})

var definitions = waggle.Definitions{
	Assets:    append(asset.List{orders, totals, patient, invoice, mail, slowSource, slowMiddle, slowEnd, lonely, stubbornStep, beforeDeath, death}, parts...),
	Checks:    check.List{checkTotals, checkBuyers},
	Jobs:      job.List{shop, slow, manyJob, stubborn, deadly},
	Schedules: job.Schedules{job.Cron("shop_nightly", "0 2 * * *", shop, &job.ScheduleOptions{TimeZone: "Europe/London"})},
}
