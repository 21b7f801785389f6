package courier

// dictionaryID names the dictionary, and the form of what is packed with it, in every message.
//
// Messages wait for days and are shown for months, so the dictionary never changes: a test holds its hash. One that fits later templates better comes
// beside it, with the next id: then pack uses that one, the decoder of a packer gets both, and read knows both ids. Versions before cannot read what was
// packed with it, and say so.
const dictionaryID = 0x574d_0001

// dictionary is text that messages are likely to repeat: the words, styles and keys of reports and of what goes with them, those of most messages last.
const dictionary = `– CANCELED It was stopped on request at  steps not run
MADE BEFORE See how far it came Run what is missing
◐ RUNNING Started at See how it goes
▲ LATE ✗ MISSED The run of  was due  and was not launched then. No run was launched for it. See the late run See its ticks waggle schedules show  Run it now waggle run 
✗ PARKED channel It takes no messages. messages wait; nothing is lost. It is tried again at  Messages that still wait at  are given up. WHAT THE SERVICE SAID Mend it, then try it waggle channels test  See what waits waggle deliveries
It works again. messages had waited for up to  had to be given up. Send what was given up waggle deliveries retry --dead
✗ FAILED sensor It was given up after  attempts for event  First tried  What it would have told of this event was not sent. It is called for the next events as before. See its evaluations waggle sensors show 
 runs of  jobs in this message. The channel takes 1 message a second, and more came at once. RUNS  runs See one List them waggle runs --status failed
daily summary  jobs:  succeeded, failed, FAILING NOW WORKING  runs succeeded, typically List the runs waggle runs --last 24h
✓ RESOLVED Worked again after  failures in  fixed by run It had failed since Nothing is left to do. IT HAD FAILED WITH See the run that fixed it Fixed since by run
✗ STILL FAILED It fails for another reason than before. BEFORE, IT FAILED WITH It has not worked since you were told. The blocking check check_ It is tried again without you: another run follows.
✗ FAILED  failed.  assets blocked.
Failing since  failures in a row in Failed at  Worked until  No earlier success is known.

WHY
   failed  after  in 3 attempts  panicked  after 
    | panic: 
    Its last log lines INFO WARNING ERROR

CHANGED SINCE THE LAST SUCCESS
  Nothing that is recorded: code, config, row counts and schemas are the same.
  Code:  → Config : Column  is gone from  New column  in  (int64, may be empty) Rows of 

BLOCKED
  ⊘ BLOCKED  by 
  and 1 check of theirs

WHAT TO DO
  See why
    waggle runs show 
  Run again what is missing
    waggle runs retry 
 rows break  rules  errors in  rows: row 1:  is null, which breaks greater_than(0) rows kept with warnings: in_range one_of matches unique not_null 1 times, all  rows as Schema says
{"kind":"tick_missed","kind":"daily_summary","kind":"digest","kind":"run_warnings","kind":"run_failed","kind":"run_still_failed","failure_reason":"STEP_FAILURE","error":"","failing_since":"2026-","failures_in_a_row":3,"last_success":{"run_id":"","ended_at":"2026-"},"changed_since_last_success":[{"kind":"rows","name":"","before":"","after":""}],"failed_steps":[{"step":"","kind":"error","error":""}],"failed_steps_total":1,"skipped_steps":[{"step":"","reason":"upstream_failed","by":""},{"step":""}],"skipped_steps_total":1,"warnings":[{"asset":"","severity":"WARN","text":""}],"warnings_total":1,"link":"https://","command":"waggle runs show "}},{"version":1,"line":"","report":{"kind":"run_succeeded","run_id":"","job":"","name":"","environment":"production","status":"SUCCESS","config":{"":""},"tags":{"schedule":""},"code_version":"","launched_at":"2026-","started_at":"2026-","ended_at":"2026-","duration_ms":1,"assets":[{"asset":"","record_count":1,"duration_ms":1}],"assets_total":1,"checks":[{"asset":"","check":"check_","status":"SUCCEEDED","passed":true,"severity":"ERROR","blocking":true},{"status":"FAILED","passed":false,"severity":"WARN"}],"checks_total":1}}
[{"type":"header","text":{"type":"plain_text","text":"","emoji":false}},{"type":"section","text":{"type":"mrkdwn","text":"*What to do*\nSee why: ` + "`" + `waggle runs show ` + "`" + `\nRun again what is missing: ` + "`" + `waggle runs retry ` + "`" + `"}},{"type":"section","text":{"type":"mrkdwn","text":"*The run*\nrun: ` + "`" + `\nstarted: 2026-\ntook: \ncode: ` + "`" + `\nconfig: ` + "`" + `\ntags: ` + "`" + `schedule="}},{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Open the run"},"url":"https://","style":"primary"}]}]
<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:16px 0 0"><tr><td style="background-color:#F5B301;border-radius:6px;"><a href="https://" style="display:inline-block;padding:11px 18px;font-size:15px;line-height:20px;font-weight:700;text-decoration:none;color:#1F1B12;font-family:-apple-system,BlinkMacSystemFont,&#39;Segoe UI&#39;,Roboto,Helvetica,Arial,sans-serif;">Open the run</a></td></tr></table>
  "run_id": "",
  "job": "",
  "warnings": [
    {
      "asset": "",
      "severity": "WARN",
      "metadata": {
        "error_count": 1,
            "column": "",
            "count": 1,
            "examples": [
              {
                "row": 1,
                "failure_case": null
              },
    {
        "invalid_row_count": 1,
        "record_count": 1,
        "schema": "
      "validation_warnings": {
        "removed_rows": 1,
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>[Waggle] </title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark }
@media (prefers-color-scheme: dark) {
.paper { background-color: #17150F !important }
.sheet { background-color: #211E16 !important }
.code { background-color: #17150F !important }
.line { border-color: #3B3628 !important }
.ink { color: #F3EEE2 !important }
.muted { color: #ADA48F !important }
.success { color: #56D37A !important }
.top-success { border-color: #56D37A !important }
.failure { color: #FF8278 !important }
.top-failure { border-color: #FF8278 !important }
.warning { color: #F0BE4A !important }
.top-warning { border-color: #F0BE4A !important }
.running { color: #79BBFF !important }
.top-running { border-color: #79BBFF !important }
.idle { color: #B0B8C1 !important }
.top-idle { border-color: #B0B8C1 !important }
.blocked { color: #C4A1FF !important }
.top-blocked { border-color: #C4A1FF !important }
}

</style>
</head>
<body class="paper" style="margin:0;padding:0;background-color:#FFFBF2;">
<div style="display:none;max-height:0;overflow:hidden;font-size:1px;line-height:1px;color:#1F1B12;" aria-hidden="true">✓ SUCCESS </div>

<table role="presentation" class="paper" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;margin:0 auto;table-layout:fixed;background-color:#FFFBF2;">
<tr><td class="sheet ink top-success" style="padding:20px 20px 24px;background-color:#FFFFFF;font-family:-apple-system,BlinkMacSystemFont,&#39;Segoe UI&#39;,Roboto,Helvetica,Arial,sans-serif;overflow-wrap:anywhere;word-break:break-word;border-top:4px solid #1A7F37;">
<h1 class="ink" style="margin:0;font-size:22px;line-height:30px;font-weight:700;color:#1F1B12;"><span class="success" style="color:#1A7F37;font-weight:700;white-space:nowrap;">✓ SUCCESS</span><br></h1>
<p class="ink" style="margin:8px 0 0;font-size:16px;line-height:23px;color:#1F1B12;"><strong>3 validation warnings</strong> in a run that ended with SUCCESS at <span style="white-space:nowrap">2026-11-22 02:00</span> UTC.</p>
<p class="ink" style="margin:8px 0 0;font-size:16px;line-height:23px;color:#1F1B12;">Nothing is blocked. All of it is in the attached <span style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;font-size:0.93em;">validation_warnings.json</span>.</p>
<h2 class="muted line" style="margin:22px 0 6px;padding:14px 0 0;border-top:1px solid #E9E1CF;font-size:13px;line-height:18px;font-weight:700;color:#6B6353;">Warnings</h2>
<div class="muted" style="padding:1px 0;font-size:14px;line-height:20px;color:#6B6353;"> rows set aside: not_null 11 times,  unique 8 times, &#43;3 more rules</div>
<span class="failure" style="color:#C2261D;font-weight:700;white-space:nowrap;">✗ FAILED</span>
<span class="blocked" style="color:#7A3FD1;font-weight:700;white-space:nowrap;">⊘ BLOCKED</span>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="table-layout:fixed"><tr><td class="ink" valign="top" style="padding:5px 0 1px;font-size:15px;line-height:21px;color:#1F1B12;"><span style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;font-size:0.93em;white-space:nowrap"></span></td><td class="muted" width="36%" align="right" valign="top" style="padding:5px 0 1px 8px;font-size:14px;line-height:21px;font-variant-numeric:tabular-nums;color:#6B6353;"> rows, 12.3 ms</td></tr></table>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="table-layout:fixed"><tr><td class="ink" valign="top" style="padding:5px 0 1px;font-size:15px;line-height:21px;color:#1F1B12;"><span class="success" style="color:#1A7F37;font-weight:700;white-space:nowrap;">✓ PASSED</span> <span style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;font-size:0.93em;">check_</span> on <span style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;font-size:0.93em;white-space:nowrap"></span></td></tr></table>
<h2 class="muted line" style="margin:22px 0 6px;padding:14px 0 0;border-top:1px solid #E9E1CF;font-size:13px;line-height:18px;font-weight:700;color:#6B6353;">To see more</h2>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="table-layout:fixed"><tr><td class="ink" valign="top" style="padding:5px 0 1px;font-size:15px;line-height:21px;color:#1F1B12;">See all of it</td></tr></table>
<div class="code ink" style="margin:5px 0 4px;padding:9px 11px;border-radius:4px;white-space:pre-wrap;font-size:13px;line-height:19px;background-color:#FFFBF2;color:#1F1B12;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;">waggle runs show 01</div>
<h2 class="muted line" style="margin:22px 0 6px;padding:14px 0 0;border-top:1px solid #E9E1CF;font-size:13px;line-height:18px;font-weight:700;color:#6B6353;">The run</h2>
<tr><td class="muted" width="24%" valign="top" style="padding:3px 10px 3px 0;font-size:14px;line-height:20px;color:#6B6353;">run</td><td class="ink" valign="top" style="padding:3px 0;font-size:14px;line-height:20px;font-variant-numeric:tabular-nums;color:#1F1B12;"><span style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;font-size:0.93em;">01</span></td></tr>
<tr><td class="muted" width="24%" valign="top" style="padding:3px 10px 3px 0;font-size:14px;line-height:20px;color:#6B6353;">started</td><td class="ink" valign="top" style="padding:3px 0;font-size:14px;line-height:20px;font-variant-numeric:tabular-nums;color:#1F1B12;"><span style="white-space:nowrap">2026-11-29 01:28</span> UTC</td></tr>
<tr><td class="muted" width="24%" valign="top" style="padding:3px 10px 3px 0;font-size:14px;line-height:20px;color:#6B6353;">took</td><td class="ink" valign="top" style="padding:3px 0;font-size:14px;line-height:20px;font-variant-numeric:tabular-nums;color:#1F1B12;"><span style="white-space:nowrap">0.13 s</span></td></tr>
<tr><td class="muted" width="24%" valign="top" style="padding:3px 10px 3px 0;font-size:14px;line-height:20px;color:#6B6353;">code</td><td class="ink" valign="top" style="padding:3px 0;font-size:14px;line-height:20px;font-variant-numeric:tabular-nums;color:#1F1B12;"><span style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;font-size:0.93em;white-space:nowrap"></span></td></tr>
<tr><td class="muted" width="24%" valign="top" style="padding:3px 10px 3px 0;font-size:14px;line-height:20px;color:#6B6353;">config</td><td class="ink" valign="top" style="padding:3px 0;font-size:14px;line-height:20px;font-variant-numeric:tabular-nums;color:#1F1B12;"><span style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,&#39;DejaVu Sans Mono&#39;,monospace;font-size:0.93em;">output_dir=&#34;
</table>
</td></tr>
</table>

</body>
</html>
 assets, 4 of 5 checks passed, 3 warnings, in 
Ended at 2026-
3 validation warnings in a run that ended with SUCCESS at 2026-
Nothing is blocked. All of it is in the attached
validation_warnings.json.

WARNINGS
  ▲ WARNING check_ on 

ASSETS
    processing_time_ms  · +3 more values
CHECKS
  ✓ PASSED check_
WHAT TO DO
    waggle quarantine show  --run 01
  See the run
TO SEE MORE
  See all of it
    waggle runs show 01

THE RUN
  run      01
  started  2026-
  took     
  code     
  config   output_dir="
  tags     schedule=
Open the run: https://
{"rungs":[{"subject":"[Waggle]  failed","line":"✗ FAILED "
{"rungs":[{"subject":"[Waggle] 1 validation warning in ","line":"▲ WARNING ","text":1017,"html":8329,"attachments":[{"name":"validation_warnings.json","content_type":"application/json","data":1000}]},{"subject":"[Waggle] 1 validation warning in ","line":"▲ WARNING ","text":334,"html":4003,"attachments_of_before":true},{"subject":"
{"rungs":[{"subject":"[Waggle]  completed","line":"✓ SUCCESS : 1 asset","text":1025,"html":12125},{"subject":"[Waggle]  completed","line":"✓ SUCCESS : 1 asset","text":194,"html":3317},{"subject":"[Waggle]  completed","line":"✓ SUCCESS : 1 asset","text":77}]}
`
