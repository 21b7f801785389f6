//go:build aws

package main

import (
	"context"

	"waggle/shared/notify"
	"waggle/shared/notify/senders"
	"waggle/shared/notify/sesmail"
	"waggle/shared/secret/awssecret"
)

// withCloud adds what needs AWS: secrets that it keeps, and mails by SES where no mail server is set.
func withCloud(ctx context.Context, opts *senders.Options) error {
	cfg, err := loadConfig(ctx)
	if err != nil {
		return err
	}
	opts.Sources = awssecret.Sources(cfg, nil)
	opts.SES = func(s notify.SESSettings) notify.Sender { return sesmail.New(cfg, s, nil) }
	return nil
}
