package deployment

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"waggle/shared/event"
	"waggle/shared/eventbus/eventbridge"
)

// bus is looked for when something is first published: EventBridge drops what is for a bus that is not there, and a call when the function
// starts would keep its first run waiting.
type bus struct {
	name   string
	config *aws.Config

	mu        sync.Mutex
	publisher *eventbridge.Publisher // nil: not found yet
}

func (b *bus) publish(ctx context.Context, events []event.Event) error {
	publisher, err := b.open(ctx)
	if err != nil {
		return err
	}
	return publisher.Publish(ctx, events)
}

func (b *bus) open(ctx context.Context) (*eventbridge.Publisher, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.publisher != nil {
		return b.publisher, nil
	}
	publisher, err := eventbridge.Open(ctx, b.name, &eventbridge.Options{Config: b.config})
	if err == nil {
		b.publisher = publisher
	}
	return publisher, err
}
