package dynamodriver

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"waggle/shared/store/driver"
)

// An expired item that DynamoDB has not deleted yet (it takes its time) counts as absent in every condition.
const (
	absentExpression  = "attribute_not_exists(#pk) OR #expires <= :now"
	versionExpression = "#version = :version AND (attribute_not_exists(#expires) OR #expires > :now)"
)

// guard is a condition in DynamoDB's terms; the zero value is driver.Any.
type guard struct {
	expression *string
	names      map[string]string
	values     attributes
}

func newGuard(cond driver.Condition, now int64) guard {
	if cond.Unconditional() {
		return guard{}
	}
	if version, ok := cond.Version(); ok {
		return guard{aws.String(versionExpression),
			map[string]string{"#version": attrVersion, "#expires": attrExpires},
			attributes{":version": number(version), ":now": number(now)}}
	}
	return guard{aws.String(absentExpression),
		map[string]string{"#pk": attrPartition, "#expires": attrExpires},
		attributes{":now": number(now)}}
}
