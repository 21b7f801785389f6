package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/jsii-runtime-go"

	"waggle/infra/settings"
)

// mail makes what SES needs to send: an identity of the sender, unless there is one, and a configuration set, which the identity's mails
// use by default.
func (a app) mail() {
	if a.Settings.Sender == "" {
		return
	}
	set := awsses.NewCfnConfigurationSet(a.stack, jsii.String("Mails"), &awsses.CfnConfigurationSetProps{Name: jsii.String(a.base()),
		SendingOptions:     &awsses.CfnConfigurationSet_SendingOptionsProperty{SendingEnabled: jsii.Bool(true)},
		SuppressionOptions: &awsses.CfnConfigurationSet_SuppressionOptionsProperty{SuppressedReasons: jsii.Strings("BOUNCE", "COMPLAINT")}})
	if a.Settings.SenderVerified {
		return
	}
	awsses.NewCfnEmailIdentity(a.stack, jsii.String("Sender"), &awsses.CfnEmailIdentityProps{EmailIdentity: jsii.String(settings.Address(a.Settings.Sender)),
		ConfigurationSetAttributes: &awsses.CfnEmailIdentity_ConfigurationSetAttributesProperty{ConfigurationSetName: set.Ref()}})
}
