package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"waggle/pipelines"
	"waggle/shared/notify"
	"waggle/shared/notify/senders"
	"waggle/shared/notify/sesmail"
	"waggle/shared/secret/awssecret"
)

// openSenders opens the channels of the pipelines. One that cannot be opened keeps no other from sending. Mails name the configuration set of
// their environment: the identity of a sender may have another, of an environment that sends from the same address, and no right to it is given.
func openSenders(ctx context.Context, config aws.Config, environment string) (*senders.Senders, error) {
	return senders.Open(ctx, pipelines.Definitions.Channels, senders.Options{Lookup: os.LookupEnv, Apart: true, Sources: awssecret.Sources(config, nil),
		SES: func(s notify.SESSettings) notify.Sender {
			return sesmail.New(config, s, &sesmail.Options{ConfigurationSet: "waggle-" + environment})
		}})
}
