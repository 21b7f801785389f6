// Package deployment is the wiring of the functions: it opens the store, the bus and the senders that their environment names.
package deployment

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob/s3blob"

	"waggle/pipelines"
	"waggle/shared/cloud"
	"waggle/shared/cloud/lambdafunctions"
	"waggle/shared/courier"
	"waggle/shared/metric"
	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// lease is how long the owner of a run or a channel may be silent before another invocation takes over.
const lease = 60 * time.Second

// Deployment is what a function needs. It lives as long as the process.
type Deployment struct {
	Settings
	Log *slog.Logger
	AWS aws.Config

	metrics   metrics
	store     *store.Store
	functions cloud.Functions
	bus       *bus
}

// Open reads the settings and opens the store. Nothing is sent: a function starts in milliseconds, and its first call says what cannot be
// reached.
func Open(ctx context.Context) (*Deployment, error) {
	settings, err := SettingsOf(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	db, err := dynamodriver.Open(ctx, settings.Table, &dynamodriver.Options{Indexes: store.Indexes(), Config: &cfg, SkipCheck: true})
	if err != nil {
		return nil, err
	}
	// Paths of pipelines that are relative are in the bucket: a function has no folder that stays.
	if err := os.Setenv("WAGGLE_FILES", "s3://"+settings.Bucket+"/files"); err != nil {
		return nil, err
	}
	bucket, err := s3blob.OpenBucket(ctx, s3.NewFromConfig(cfg), settings.Bucket, nil)
	if err != nil {
		return nil, err
	}
	return &Deployment{Settings: settings, AWS: cfg,
		Log:       slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: settings.LogLevel})),
		store:     store.New(db, store.NewBlobs(bucket), &store.Options{Lease: lease, Now: db.Now, PaidBySize: true}).Owing(store.Bus, nil),
		metrics:   metrics{metric.NewLog(os.Stdout, settings.Environment, time.Now)},
		bus:       &bus{name: settings.Bus, config: &cfg},
		functions: lambdafunctions.New(cfg, lambdafunctions.Names{Run: settings.RunFunction, Step: settings.StepFunction, Sensor: settings.SensorFunction}),
	}, nil
}

// Runner is what the function run does.
func (d *Deployment) Runner() *cloud.Runner {
	// What follows from its runs is run by the same version: it cannot be told of its own in its settings.
	functions := lambdafunctions.New(d.AWS, lambdafunctions.Names{Run: Invocation(context.Background()).Function, Step: d.StepFunction, Sensor: d.SensorFunction})
	return &cloud.Runner{Store: d.store, Plans: pipelines.Definitions, Schedules: d.schedules(), Functions: functions, Log: d.Log, Ended: d.metrics.ended,
		Publish: cloud.Wanted(pipelines.Definitions, d.bus.publish), Notify: courier.New(d.store, pipelines.Definitions, nil).Notify()}
}

// Stepper is what the function step does.
func (d *Deployment) Stepper() *cloud.Stepper {
	return &cloud.Stepper{Store: d.store, Plans: pipelines.Definitions, Functions: d.functions, Log: d.Log,
		Notify: courier.New(d.store, pipelines.Definitions, nil).Notify()}
}

// ownHandler is how long the function of a sensor may take that has a Lambda function of its own.
const ownHandler = 10 * time.Minute

// Teller is what the function sensor does, and the own function of a sensor. What opens the senders of channels stays with that program: the
// others link none.
func (d *Deployment) Teller(sender func(*notify.Definition) (notify.Sender, error)) *cloud.Teller {
	opts := &courier.Options{Sender: sender, Polls: true, Calls: cloud.Calls(pipelines.Definitions, d.Sensor), Bus: d.bus.publish,
		Place: notice.Place{Environment: d.Environment, LinkBase: d.LinkBase}, Worker: lambdacontext.LogStreamName, Concluded: d.metrics.concluded,
		Launched: func(ctx context.Context, id run.ID) error { return d.functions.Run(ctx, "", cloud.RunCall{Run: id}) }}
	if d.Sensor != "" {
		opts.Handler = ownHandler
	}
	return &cloud.Teller{Courier: courier.New(d.store, pipelines.Definitions, opts), Definitions: pipelines.Definitions, Own: d.Sensor, Functions: d.functions, Log: d.Log}
}

// Monitor is what the function monitor does.
func (d *Deployment) Monitor() *cloud.Monitor {
	return &cloud.Monitor{Store: d.store, Definitions: pipelines.Definitions, Schedules: d.schedules(), Functions: d.functions, Log: d.Log}
}

func (d *Deployment) schedules() *scheduler.Scheduler {
	return scheduler.New(d.store, pipelines.Definitions)
}

// Invocation is the one that a context belongs to.
func Invocation(ctx context.Context) cloud.Invocation {
	at := cloud.Invocation{Function: lambdacontext.FunctionName + ":" + lambdacontext.FunctionVersion}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		at.Request = lc.AwsRequestID
	}
	return at
}

// Must returns what was opened, or ends the process: a function that cannot start says why in its log.
func Must[T any](opened T, err error) T {
	if err != nil {
		Exit(err)
	}
	return opened
}

// Exit ends the process; Lambda counts what it was doing as failed.
func Exit(err error) {
	slog.New(slog.NewJSONHandler(os.Stderr, nil)).Error("the function ends", "error", err)
	os.Exit(1)
}
