package cli_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waggle/shared/cli"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// deployment works on a desk's home as functions in the cloud would, and no command does.
type deployment struct {
	*desk
	wg      sync.WaitGroup
	sensors int
	secrets []string
	down    bool // its functions cannot be called
}

func deploy(t *testing.T) *deployment {
	t.Helper()
	return deployFrom(t, setup(t))
}

func deployFrom(t *testing.T, d *desk) *deployment {
	p := &deployment{desk: d}
	p.app.Deployed = func(ctx context.Context, name string) (*cli.Deployed, error) {
		if name != "prod" {
			return nil, fault.New(fault.NotFound, "no deployment %q in eu-west-1", name).WithHint("make it with `waggle deploy`")
		}
		st, err := p.app.Open(ctx, p.home)
		if err != nil {
			return nil, err
		}
		return &cli.Deployed{Store: st, Run: p.run, Sensor: func(context.Context) error { p.sensors++; return nil },
			SetSecret: func(_ context.Context, name, value string) error {
				p.secrets = append(p.secrets, name+"="+value)
				return nil
			}}, nil
	}
	t.Cleanup(p.wg.Wait)
	return p
}

func (p *deployment) run(_ context.Context, id run.ID) error {
	if p.down {
		return fault.New(fault.Throttled, "too many functions run")
	}
	st, err := p.app.Open(context.Background(), p.home)
	if err != nil {
		return err
	}
	p.wg.Go(func() {
		defer func() { _ = st.Close() }()
		if _, err := engine.New(st, p.app.Definitions, &engine.Options{Worker: "waggle-prod-run:1/a"}).Run(context.Background(), id, nil); err != nil {
			p.t.Errorf("the function: %v", err)
		}
	})
	return nil
}

func TestARunOfADeploymentIsWatchedAndNotOwned(t *testing.T) {
	t.Parallel()
	p := deploy(t)
	out, talk, status := p.call("run", "shop", "--env", "prod")
	p.wg.Wait()
	if status != 0 || !strings.Contains(out, "SUCCESS shop") || !strings.Contains(out, "runs show") || !strings.Contains(out, "--env prod") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
	if log, _, _ := p.call("runs", "logs", "LAST", "-o", "jsonl"); !strings.Contains(log, "waggle-prod-run:1/a") || strings.Contains(log, `"`+p.app.Worker+`"`) {
		t.Errorf("this process owned it:\n%s", log)
	}
	if out, talk, status := p.call("runs", "--env", "prod"); status != 0 || !strings.Contains(out, "SUCCESS") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
}

func TestARunOfADeploymentIsLaunchedAndLeft(t *testing.T) {
	t.Parallel()
	p := deploy(t)
	out, talk, status := p.call("run", "shop", "--env", "prod", "--detach")
	if status != 0 || !strings.Contains(talk, "runs logs") || len(strings.TrimSpace(out)) != 36 {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
	p.wg.Wait()
	if out, _, _ := p.call("runs", "--env", "prod"); !strings.Contains(out, "SUCCESS") {
		t.Errorf("%s", out)
	}
}

func TestADeploymentThatCannotBeToldLooksByItself(t *testing.T) {
	t.Parallel()
	p := deploy(t)
	p.down = true
	out, talk, status := p.call("run", "shop", "--env", "prod", "--detach")
	if status != 0 || !strings.Contains(talk, "it looks for it by itself within a minute: too many functions run") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
}

func TestARunOfADeploymentIsCanceledByItsFunctions(t *testing.T) {
	t.Parallel()
	p := deploy(t)
	p.down = true
	p.call("run", "shop", "--env", "prod", "--detach")
	p.down = false
	out, talk, status := p.call("runs", "cancel", "LAST", "--env", "prod")
	if status != 0 || !strings.Contains(out, "was asked to stop") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
	p.wg.Wait()
	if out, _, _ := p.call("runs", "--env", "prod"); !strings.Contains(out, "CANCELED") {
		t.Errorf("%s", out)
	}
}

func TestWhatIsGivenUpIsSentAgainByTheDeployment(t *testing.T) {
	t.Parallel()
	p := deploy(t)
	if out, talk, status := p.call("deliveries", "retry", "--dead", "--env", "prod"); status != 0 || p.sensors != 1 {
		t.Errorf("exit %d, %d calls of the sensors\n%s%s", status, p.sensors, out, talk)
	}
}

func TestWhatDoesNotGoWithADeploymentIsRefused(t *testing.T) {
	t.Parallel()
	p := deploy(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"dev", "--env", "prod"}, "a deployment looks after its runs itself"},
		{[]string{"monitor", "--once", "--env", "prod"}, "each minute"},
		{[]string{"channels", "test", "people", "--env", "prod"}, "this machine's settings"},
		{[]string{"runs", "--env", "prod", "--home", "x"}, "give one of them"},
		{[]string{"runs", "--env", "prod", "--store", "dynamodb:x"}, "give one of them"},
		{[]string{"runs", "--env", "test"}, "make it with `waggle deploy`"},
	} {
		out, talk, status := p.call(c.args...)
		if status == 0 || !strings.Contains(talk, c.want) {
			t.Errorf("waggle %s: exit %d, it lacks %q\n%s%s", strings.Join(c.args, " "), status, c.want, out, talk)
		}
	}
	p.app.Deployed = nil
	if _, talk, status := p.call("runs", "--env", "prod"); status != 2 || !strings.Contains(talk, "make waggle-aws") {
		t.Errorf("exit %d\n%s", status, talk)
	}
}

func TestADeploymentIsNotToldOfByThisMachinesSettingsNorMendedByItsCommands(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	p := deployFrom(t, d)
	r.answer = &notify.Answer{Kind: notify.Park, Reason: "gone", Error: "410 channel_is_archived"}
	p.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	p.app.Senders = func(context.Context, string, notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
		t.Error("this machine's settings were looked at")
		return nil, fault.New(fault.Invalid, "SLACK_WEBHOOK_URL is no URL")
	}
	id := string(p.newest())
	p.now = p.now.Add(time.Hour)
	p.launch(1)
	left := string(p.newest())
	p.now = p.now.Add(time.Hour)
	for _, c := range []struct {
		want   string
		status int
		args   []string
	}{
		{"410 channel_is_archived", 0, []string{"channels"}},
		{"waggle doctor --env prod", 0, []string{"alerts", "explain", id}},
		{"the deployment sees to it within a minute", 0, []string{"runs", "show", left}},
		{"the deployment sees to it within a minute", 0, []string{"schedules"}},
		{"SUCCESS", 0, []string{"run", "--select", "orders"}},
		{"has not ended (the deployment sees to it within a minute)", 2, []string{"runs", "retry", left}},
	} {
		out, talk := p.must(c.status, append(c.args, "--env", "prod")...)
		if !strings.Contains(out+talk, c.want) {
			t.Errorf("waggle %s lacks %q\n%s%s", strings.Join(c.args, " "), c.want, out, talk)
		}
		for _, refused := range []string{"waggle monitor", "waggle dev", "channels test", "outbox", "no URL"} {
			if strings.Contains(out+talk, refused) {
				t.Errorf("waggle %s says %q\n%s%s", strings.Join(c.args, " "), refused, out, talk)
			}
		}
	}
}

func TestASecretIsReadAndNeverShown(t *testing.T) {
	p := deploy(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	t.Cleanup(func() { os.Stdin = before })
	os.Stdin = read
	if _, err := write.WriteString("https://hooks.slack.com/services/T0/B0/x\n"); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	out, talk, status := p.call("secrets", "set", "slack", "--env", "prod")
	if status != 0 || !slices.Equal(p.secrets, []string{"slack=https://hooks.slack.com/services/T0/B0/x"}) || strings.Contains(out+talk, "hooks") {
		t.Errorf("exit %d, %q\n%s%s", status, p.secrets, out, talk)
	}
	for want, args := range map[string][]string{
		"secrets are of a deployment":  {"secrets", "set", "slack"},
		`"a/b" is no name of a secret`: {"secrets", "set", "a/b", "--env", "prod"},
		"the secret is empty":          {"secrets", "set", "slack", "--env", "prod"}, // nothing is left to read
		"make it with `waggle deploy`": {"secrets", "set", "slack", "--env", "nowhere"},
		"secrets set needs a name":     {"secrets", "set", "--env", "prod"},
	} {
		if _, talk, status := p.call(args...); status == 0 || !strings.Contains(talk, want) {
			t.Errorf("waggle %s: exit %d, it lacks %q\n%s", strings.Join(args, " "), status, want, talk)
		}
	}
	long, err := os.CreateTemp(t.TempDir(), "")
	if err == nil {
		_, err = long.WriteString(strings.Repeat("x", 4097))
	}
	if err == nil {
		_, err = long.Seek(0, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	os.Stdin = long
	if _, talk, status := p.call("secrets", "set", "slack", "--env", "prod"); status == 0 || !strings.Contains(talk, "more than 4096 bytes; nothing was stored") {
		t.Errorf("exit %d\n%s", status, talk)
	}
	if len(p.secrets) != 1 {
		t.Errorf("stored: %q", p.secrets)
	}
}
