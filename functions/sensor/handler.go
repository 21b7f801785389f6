package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"waggle/shared/event"
	"waggle/shared/eventbus/eventbridge"
)

// request is a batch of the queue, or a call that says that something waits: then it has no records.
type request struct {
	Records []events.SQSMessage `json:"Records"`
}

type teller interface {
	Store(context.Context, ...event.Event) error
	Work(context.Context) error
}

type handler struct {
	teller teller
	log    *slog.Logger
}

// handle stores what the bus tells and works off what is due. Messages that could not be stored are delivered again; those that cannot be
// read end in the queue of what failed.
func (h handler) handle(ctx context.Context, r request) (events.SQSEventResponse, error) {
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}} // a null list would mean that all failed
	for _, m := range r.Records {
		e, err := eventbridge.Decode([]byte(m.Body))
		if err == nil {
			err = h.teller.Store(ctx, e)
		}
		if err != nil {
			h.log.Error("an event was not stored", "message", m.MessageId, "error", err)
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	if err := h.teller.Work(ctx); err != nil {
		if len(r.Records) == 0 {
			return answer, err
		}
		h.log.Error("what is due is left to the monitor", "error", err) // the events are stored
	}
	return answer, nil
}
