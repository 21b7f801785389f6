package main

import (
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/manifest"
)

// bill is what 1,000 runs cost, in dollars, by the service that is paid. Mails and compute are not in it: figure has them apart.
type bill struct {
	DynamoDB    float64 `json:"dynamodb"`
	S3          float64 `json:"s3"`
	EventBridge float64 `json:"eventbridge"`
	SQS         float64 `json:"sqs"`
	Lambda      float64 `json:"lambda_requests"`
	Scheduler   float64 `json:"scheduler"`
	Sum         float64 `json:"sum"`
}

// queueRequests are those of an event that comes alone, as events of single runs do: a rule sends it, Lambda receives and deletes it.
const queueRequests = 3

// bill is what 1,000 such runs cost.
func (c cost) bill() bill {
	b := bill{
		DynamoDB:    1000 * (c.writes*writeUnit + c.reads*readUnit),
		S3:          1000 * float64(c.blobs) * objectPut,
		EventBridge: 1000 * float64(c.tally.Events) * eventPut,
		SQS:         1000 * float64(c.tally.Queued) * queueRequests * queueRequest,
		Scheduler:   1000 * float64(c.scheduled) * scheduled,
	}
	for _, n := range c.tally.Invocations {
		b.Lambda += 1000 * float64(n.Count) * lambdaRequest
	}
	b.Sum = b.DynamoDB + b.S3 + b.EventBridge + b.SQS + b.Lambda + b.Scheduler
	return b
}

// told is the part of a bill that is for telling people: rows of sensors and channels, what brings events to them, the function that sends.
func (c cost) told() float64 {
	return 1000 * (c.alerts()*writeUnit + float64(c.tally.Queued)*queueRequests*queueRequest + float64(c.tally.Invocations[manifest.SensorFunction].Count)*lambdaRequest)
}

// cents rounds each part to hundredths of a cent.
func (b bill) cents() bill {
	return bill{cents(b.DynamoDB), cents(b.S3), cents(b.EventBridge), cents(b.SQS), cents(b.Lambda), cents(b.Scheduler), cents(b.Sum)}
}

// mailUSD is what the mails of 1,000 such runs cost.
func (c cost) mailUSD() float64 {
	return 1000 * (float64(c.mails)*mailSent + float64(c.attached)/1e9*attachedGB)
}

// gbSeconds are those of the functions, with the memory that a deployment gives them, by the clock of this machine.
func gbSeconds(t cloudtest.Tally) (sum float64) {
	for _, f := range manifest.Functions() {
		sum += t.Invocations[f.Name].Time.Seconds() * float64(f.MemoryMB) / 1024
	}
	return sum
}
