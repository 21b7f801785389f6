package slackmessage

import "waggle/shared/notify"

// meaning is what follows from a word of Slack.
type meaning struct {
	kind   notify.AnswerKind
	reason notify.Reason
}

// meanings are the words that Slack's webhooks and chat methods answer with:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
// https://docs.slack.dev/reference/methods/chat.postMessage
var meanings = func() map[string]meaning {
	all := map[string]meaning{}
	for m, words := range map[meaning][]string{
		{notify.Smaller, notify.ReasonTooLarge}: {"msg_too_long", "msg_blocks_too_long", "too_many_attachments", "too_many_blocks", "text_too_long"},
		{notify.Smaller, notify.ReasonRefused}: {"invalid_blocks", "invalid_blocks_format", "invalid_payload", "invalid_attachments", "invalid_arguments",
			"invalid_arg_name", "invalid_array_arg", "invalid_json", "json_not_object", "invalid_charset", "no_text"},
		{notify.Park, notify.ReasonGone}: {"no_service", "no_service_id", "no_active_hooks", "no_team", "team_not_found", "team_disabled", "team_added_to_org",
			"channel_not_found", "channel_is_archived", "is_archived", "user_not_found"},
		{notify.Park, notify.ReasonDenied}: {"invalid_token", "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission",
			"missing_scope", "not_allowed_token_type", "not_in_channel", "restricted_action", "restricted_action_read_only_channel",
			"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "restricted_action_thread_locked", "action_prohibited",
			"posting_to_general_channel_denied", "org_login_required", "ekm_access_denied", "access_denied", "enterprise_is_restricted",
			"team_access_not_granted", "two_factor_setup_required", "user_is_restricted"},
		{notify.Retry, notify.ReasonRateLimited}: {"ratelimited", "rate_limited", "message_limit_exceeded"},
		{notify.Retry, notify.ReasonServerError}: {"fatal_error", "internal_error", "service_unavailable", "request_timeout", "rollup_error", "accesslimited"},
	} {
		for _, word := range words {
			all[word] = m
		}
	}
	return all
}()

// Meaning says what follows from a word that Slack answered with; known is false for words that are none of Slack's errors.
func Meaning(word string) (kind notify.AnswerKind, reason notify.Reason, known bool) {
	m, known := meanings[word]
	return m.kind, m.reason, known
}

// Unclear reports whether Slack may have posted the message although it answered with an error: it says so itself of these.
func Unclear(word string) bool {
	return word == "fatal_error" || word == "internal_error" || word == "request_timeout"
}
