// Package awserror reads the errors of the AWS SDK: what a service said, and what the codes mean that services share. What follows from
// a code, and the codes of one service, are with those who call it.
//
// It imports nothing of ours.
package awserror

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// HintCredentials is the next step of a person whose program has no credentials that AWS takes.
const HintCredentials = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`"

// Kind is what a code means that services share.
type Kind int

// The kinds of codes. The zero value is any other code.
const (
	_            Kind = iota
	Throttled         // too much at once: the same may be asked again
	Unavailable       // the service's own trouble: the same may be asked again
	Unknown           // AWS does not know the credentials, or got none
	Expired           // the credentials, or the request, have expired
	BadSignature      // the signature does not match: a wrong secret key, or a wrong clock
	Denied            // the credentials lack a right
)

// kinds are the codes of services' common errors, under all names that the services here give them.
var kinds = map[string]Kind{
	"ProvisionedThroughputExceededException": Throttled,
	"RequestLimitExceeded":                   Throttled,
	"RequestThrottled":                       Throttled,
	"SlowDown":                               Throttled,
	"ThrottledException":                     Throttled,
	"Throttling":                             Throttled,
	"ThrottlingException":                    Throttled,
	"TooManyRequestsException":               Throttled,

	"InternalException":           Unavailable,
	"InternalFailure":             Unavailable,
	"InternalServerError":         Unavailable,
	"RequestTimeout":              Unavailable,
	"RequestTimeoutException":     Unavailable,
	"ServiceUnavailable":          Unavailable,
	"ServiceUnavailableException": Unavailable,

	"IncompleteSignature":                 Unknown,
	"IncompleteSignatureException":        Unknown,
	"InvalidAccessKeyId":                  Unknown,
	"InvalidClientTokenId":                Unknown,
	"MissingAuthenticationToken":          Unknown,
	"MissingAuthenticationTokenException": Unknown,
	"UnrecognizedClientException":         Unknown,

	"ExpiredToken":          Expired,
	"ExpiredTokenException": Expired,
	"RequestExpired":        Expired,

	"InvalidSignatureException": BadSignature,
	"SignatureDoesNotMatch":     BadSignature,

	"AccessDenied":                  Denied,
	"AccessDeniedException":         Denied,
	"NotAuthorized":                 Denied,
	"OptInRequired":                 Denied,
	"SubscriptionRequiredException": Denied,
	"UnauthorizedOperation":         Denied,
}

// KindOf returns what a code means; 0 for one that services do not share.
func KindOf(code string) Kind { return kinds[code] }

// Answer returns the code and the message of the service; ok is false where none answered, or nothing that can be read.
func Answer(err error) (code, message string, ok bool) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return "", "", false
	}
	return api.ErrorCode(), api.ErrorMessage(), true
}

// Status is the answer's HTTP status; 0 where there was none.
func Status(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

// NoCredentials reports whether nothing was sent, as the SDK found no credentials.
func NoCredentials(err error) bool {
	text := err.Error()
	return strings.Contains(text, "get credentials") || strings.Contains(text, "failed to retrieve credentials")
}

// Text is what an error says, without the SDK's account of its own steps.
func Text(err error) string {
	if code, message, ok := Answer(err); ok {
		return strings.TrimSuffix(code+": "+message, ": ")
	}
	var sent *smithyhttp.RequestSendError
	if errors.As(err, &sent) {
		return "no answer: " + sent.Err.Error()
	}
	text := err.Error()
	if strings.Contains(text, "no EC2 IMDS role found") { // the last place that the SDK looks at, after environment, files and container
		return "no credentials were found"
	}
	if _, cause, found := strings.Cut(text, "get credentials: "); found {
		return cause
	}
	return text
}
