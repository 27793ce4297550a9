"""Small made-up samples of exports of phone systems and voice agents: the first command is right."""

# ruff: noqa: E501  lines of logs stand as they come
from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import capacity as cap
from capacity.calls.decide import Undecided
from capacity.calls.readings import exports

# name -> (text of the file, the known export, the calls as start and seconds, UTC)
T = "2026-02-03T"
TWO = [(T + "09:00:10Z", 110), (T + "09:01:30Z", 200)]


def _json(records: object) -> str:
    return json.dumps(records)


SAMPLES: dict[str, tuple[str, str, list[tuple[str, int]]]] = {
    "polyai.json": (
        _json(
            {
                "conversations": [
                    {
                        "id": "a",
                        "started_at": T + "09:00:10Z",
                        "total_duration": 110,
                        "polyai_duration": 90,
                        "in_progress": False,
                        "channel": "VOICE",
                        "variant_id": "v1",
                    },
                    {
                        "id": "b",
                        "started_at": T + "09:01:30Z",
                        "total_duration": 200,
                        "polyai_duration": 200,
                        "in_progress": False,
                        "channel": "VOICE",
                        "variant_id": "v2",
                    },
                ],
                "cursor": "",
            }
        ),
        "polyai",
        TWO,
    ),
    "vapi.json": (
        _json(
            [
                {
                    "id": "a",
                    "type": "webCall",
                    "createdAt": T + "09:00:08.000Z",
                    "startedAt": T + "09:00:10.000Z",
                    "endedAt": T + "09:02:00.000Z",
                    "endedReason": "customer-ended-call",
                    "status": "ended",
                    "costs": [{"type": "stt"}],
                    "messages": [{"role": "user"}],
                },
                {
                    "id": "c",
                    "type": "webCall",
                    "createdAt": T + "09:00:20.000Z",
                    "endedReason": "failed",
                    "status": "ended",
                },
                {
                    "id": "b",
                    "type": "webCall",
                    "createdAt": T + "09:01:28.000Z",
                    "startedAt": T + "09:01:30.000Z",
                    "endedAt": T + "09:04:50.000Z",
                    "endedReason": "silence-timed-out",
                    "status": "ended",
                },
            ]
        ),
        "vapi",
        TWO,
    ),
    "retell.jsonl": (
        "\n".join(
            _json(
                {
                    "call_id": k,
                    "call_status": "ended",
                    "start_timestamp": s,
                    "end_timestamp": e,
                    "duration_ms": e - s,
                    "disconnection_reason": "user_hangup",
                }
            )
            for k, s, e in (("a", 1770109210000, 1770109320000), ("b", 1770109290000, 1770109490000))
        ),
        "retell",
        TWO,
    ),
    "elevenlabs.json": (
        _json(
            {
                "conversations": [
                    {
                        "agent_id": "x",
                        "conversation_id": "a",
                        "start_time_unix_secs": 1770109210,
                        "call_duration_secs": 110,
                        "message_count": 4,
                        "status": "done",
                    },
                    {
                        "agent_id": "x",
                        "conversation_id": "b",
                        "start_time_unix_secs": 1770109290,
                        "call_duration_secs": 200,
                        "message_count": 9,
                        "status": "done",
                    },
                ],
                "has_more": False,
            }
        ),
        "elevenlabs",
        TWO,
    ),
    "genesys.json": (
        _json(
            {
                "conversations": [
                    {
                        "conversationId": "a",
                        "conversationStart": T + "09:00:10.000Z",
                        "conversationEnd": T + "09:02:00.000Z",
                        "originatingDirection": "inbound",
                        "participants": [{"purpose": "customer", "sessions": []}],
                    },
                    {
                        "conversationId": "b",
                        "conversationStart": T + "09:01:30.000Z",
                        "conversationEnd": T + "09:04:50.000Z",
                        "originatingDirection": "inbound",
                        "participants": [],
                    },
                ],
                "totalHits": 2,
            }
        ),
        "genesys",
        TWO,
    ),
    "twilio.json": (
        _json(
            {
                "calls": [
                    {
                        "sid": "CA1",
                        "start_time": "Tue, 03 Feb 2026 09:00:10 +0000",
                        "end_time": "Tue, 03 Feb 2026 09:02:00 +0000",
                        "duration": "110",
                        "status": "completed",
                        "direction": "inbound",
                        "price": None,
                    },
                    {
                        "sid": "CA2",
                        "start_time": "Tue, 03 Feb 2026 09:01:30 +0000",
                        "end_time": "Tue, 03 Feb 2026 09:04:50 +0000",
                        "duration": "200",
                        "status": "completed",
                        "direction": "inbound",
                        "price": None,
                    },
                    {
                        "sid": "CA3",
                        "start_time": None,
                        "end_time": None,
                        "duration": "0",
                        "status": "no-answer",
                        "direction": "inbound",
                        "price": None,
                    },
                ],
                "page": 0,
            }
        ),
        "twilio",
        TWO,
    ),
    "connect.jsonl": (
        "\n".join(
            _json(
                {
                    "AWSContactTraceRecordFormatVersion": "2017-03-10",
                    "ContactId": k,
                    "Channel": "VOICE",
                    "InitiationTimestamp": i,
                    "ConnectedToSystemTimestamp": i,
                    "DisconnectTimestamp": d,
                    "Agent": a,
                    "Queue": {"Name": "q"},
                }
            )
            for k, i, d, a in (
                ("a", T + "09:00:10Z", T + "09:02:00Z", None),
                ("b", T + "09:01:30Z", T + "09:04:50Z", {"ConnectedToAgentTimestamp": T + "09:03:00Z"}),
            )
        ),
        "amazon-connect",
        TWO,
    ),
    "ringcentral.json": (
        _json(
            {
                "uri": "x",
                "records": [
                    {
                        "id": "a",
                        "sessionId": "1",
                        "startTime": T + "09:00:10.000Z",
                        "duration": 110,
                        "type": "Voice",
                        "direction": "Inbound",
                        "result": "Accepted",
                        "from": {"phoneNumber": "+1"},
                    },
                    {
                        "id": "b",
                        "sessionId": "2",
                        "startTime": T + "09:01:30.000Z",
                        "duration": 200,
                        "type": "Voice",
                        "direction": "Inbound",
                        "result": "Accepted",
                        "from": {"phoneNumber": "+1"},
                    },
                    {
                        "id": "c",
                        "sessionId": "3",
                        "startTime": T + "09:01:31.000Z",
                        "duration": 20,
                        "type": "Voice",
                        "direction": "Inbound",
                        "result": "Missed",
                        "from": {"phoneNumber": "+1"},
                    },
                ],
            }
        ),
        "ringcentral-api",
        TWO,
    ),
    "zoom.json": (
        _json(
            {
                "call_logs": [
                    {
                        "id": "a",
                        "call_id": "1",
                        "date_time": T + "09:00:00Z",
                        "answer_start_time": T + "09:00:10Z",
                        "call_end_time": T + "09:02:00Z",
                        "duration": 120,
                        "result": "Call connected",
                    },
                    {
                        "id": "b",
                        "call_id": "2",
                        "date_time": T + "09:01:20Z",
                        "answer_start_time": T + "09:01:30Z",
                        "call_end_time": T + "09:04:50Z",
                        "duration": 210,
                        "result": "Call connected",
                    },
                    {
                        "id": "c",
                        "call_id": "3",
                        "date_time": T + "09:01:20Z",
                        "answer_start_time": "",
                        "call_end_time": T + "09:01:50Z",
                        "duration": 0,
                        "result": "No Answer",
                    },
                ]
            }
        ),
        "zoom",
        TWO,
    ),
    "aircall.json": (
        _json(
            {
                "calls": [
                    {
                        "id": 1,
                        "direction": "inbound",
                        "status": "done",
                        "started_at": 1770109200,
                        "answered_at": 1770109210,
                        "ended_at": 1770109320,
                        "duration": 120,
                        "missed_call_reason": None,
                    },
                    {
                        "id": 2,
                        "direction": "inbound",
                        "status": "done",
                        "started_at": 1770109285,
                        "answered_at": 1770109290,
                        "ended_at": 1770109490,
                        "duration": 205,
                        "missed_call_reason": None,
                    },
                    {
                        "id": 3,
                        "direction": "inbound",
                        "status": "done",
                        "started_at": 1770109285,
                        "answered_at": None,
                        "ended_at": 1770109300,
                        "duration": 15,
                        "missed_call_reason": "no_available_agent",
                    },
                ]
            }
        ),
        "aircall-api",
        TWO,
    ),
    "aircall.csv": (
        "line,date (TZ offset incl.),time (TZ offset incl.),number timezone,datetime (UTC),direction,from,to,answered,missed_call_reason,user,duration (total),duration (in call),via\n"
        "Main,2026-02-03,10:00:00,Europe/Paris,2026-02-03 09:00:00,inbound,'+33,'+33,Yes,,Ana,120,110,\n"
        "Main,2026-02-03,10:01:25,Europe/Paris,2026-02-03 09:01:25,inbound,'+33,'+33,Yes,,Ana,205,200,\n"
        "Main,2026-02-03,10:01:26,Europe/Paris,2026-02-03 09:01:26,inbound,'+33,'+33,No,no_available_agent,,15,0,\n",
        "aircall",
        [*TWO, (T + "09:01:41Z", 0)],
    ),
    "five9.csv": (
        "CALL ID,TIMESTAMP,CAMPAIGN,ANI,CALL TIME,TALK TIME,IVR TIME,QUEUE WAIT TIME,HANDLE TIME\n"
        "1,2026-02-03T09:00:10Z,Main,5550000001,00:01:50,00:01:00,00:00:40,00:00:10,00:01:05\n"
        "2,2026-02-03T09:01:30Z,Main,5550000002,00:03:20,00:03:00,00:00:10,00:00:10,00:03:05\n",
        "five9",
        TWO,
    ),
    "callrail.csv": (
        "Call Status,Number Name,Tracking Number,Source,Start Time,Duration (seconds),Name,Phone Number,City\n"
        "Answered Call,Site,+15550000000,Google,2026-02-03 09:00:10 +0000,110,A,+15550000001,X\n"
        "Answered Call,Site,+15550000000,Google,2026-02-03 09:01:30 +0000,200,B,+15550000002,X\n"
        "Missed Call,Site,+15550000000,Google,2026-02-03 09:01:40 +0000,30,C,+15550000003,X\n",
        "callrail",
        TWO,
    ),
    "callrail.json": (
        _json(
            {
                "page": 1,
                "calls": [
                    {
                        "id": "CAL1",
                        "answered": True,
                        "start_time": "2026-02-03T04:00:10.000-05:00",
                        "duration": 110,
                        "tracking_phone_number": "+1",
                        "voicemail": False,
                    },
                    {
                        "id": "CAL2",
                        "answered": True,
                        "start_time": "2026-02-03T04:01:30.000-05:00",
                        "duration": 200,
                        "tracking_phone_number": "+1",
                        "voicemail": False,
                    },
                    {
                        "id": "CAL3",
                        "answered": False,
                        "start_time": "2026-02-03T04:01:40.000-05:00",
                        "duration": 30,
                        "tracking_phone_number": "+1",
                        "voicemail": False,
                    },
                ],
            }
        ),
        "callrail",
        TWO,
    ),
    "3cx.csv": (
        "historyid,callid,duration,time-start,time-answered,time-end,reason-terminated,from-no,to-no\n"
        "Call 1,0_1,00:01:50,2026/02/03 09:00:01,2026/02/03 09:00:10,2026/02/03 09:02:00,TerminatedByDst,1,Ext.1\n"
        "Call 2,0_2,,2026/02/03 09:01:00,,2026/02/03 09:01:20,Failed_Cancelled,1,Ext.1\n"
        "Call 3,0_3,00:03:20,2026/02/03 09:01:20,2026/02/03 09:01:30,2026/02/03 09:04:50,TerminatedByDst,1,Ext.1\n",
        "3cx",
        TWO,
    ),
    "3cx-report.csv": (
        "Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Cost,Call Activity Details\n"
        "2026-02-03T09:00:00Z,00000,1,2,Inbound,Answered,00:00:10,00:01:50,,x\n"
        "2026-02-03T09:01:25Z,00001,1,2,Inbound,Answered,00:00:05,00:03:20,,x\n"
        "2026-02-03T09:01:26Z,00002,1,2,Inbound,Unanswered,00:00:25,00:00:00,,x\n",
        "3cx-report",
        [*TWO, (T + "09:01:51Z", 0)],
    ),
    "asterisk.csv": (
        '"","1","600","in","""A"" <1>","SIP/a","SIP/b","Dial","SIP/b,60","2026-02-03 09:00:05","2026-02-03 09:00:10","2026-02-03 09:02:00",115,110,"ANSWERED","DOCUMENTATION","1770109205.1",""\n'
        '"","1","600","in","""A"" <1>","SIP/a","SIP/b","Dial","SIP/b,60","2026-02-03 09:00:06",,"2026-02-03 09:00:20",14,0,"NO ANSWER","DOCUMENTATION","1770109206.1",""\n'
        '"","1","600","in","""A"" <1>","SIP/a","SIP/b","Dial","SIP/b,60","2026-02-03 09:01:20","2026-02-03 09:01:30","2026-02-03 09:04:50",210,200,"ANSWERED","DOCUMENTATION","1770109280.1",""\n',
        "asterisk",
        TWO,
    ),
    "freepbx.csv": (
        "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,uniqueid,userfield,did,recordingfile,cnum,linkedid\n"
        "2026-02-03 09:00:05,A <1>,1,600,from,SIP/1,SIP/2,Dial,x,115,110,ANSWERED,3,,1770109205.1,,,,1,1770109205.1\n"
        "2026-02-03 09:00:05,A <1>,1,600,from,SIP/1,SIP/3,Dial,x,5,0,NO ANSWER,3,,1770109205.2,,,,1,1770109205.1\n"
        "2026-02-03 09:01:20,A <1>,1,600,from,SIP/1,SIP/2,Dial,x,210,200,ANSWERED,3,,1770109280.1,,,,1,1770109280.1\n",
        "freepbx",
        TWO,
    ),
    "freeswitch.csv": (
        '"A","1000","600","default","2026-02-03 09:00:05","2026-02-03 09:00:10","2026-02-03 09:02:00","115","110","NORMAL_CLEARING","u-1","u-2","","PCMU","PCMU"\n'
        '"A","1000","600","default","2026-02-03 09:01:20","","2026-02-03 09:01:40","20","0","NO_ANSWER","u-3","","","PCMU","PCMU"\n'
        '"A","1000","600","default","2026-02-03 09:01:20","2026-02-03 09:01:30","2026-02-03 09:04:50","210","200","NORMAL_CLEARING","u-5","u-6","","PCMU","PCMU"\n',
        "freeswitch",
        TWO,
    ),
    "fusionpbx.csv": (
        "xml_cdr_uuid,direction,caller_id_name,start_stamp,start_epoch,answer_stamp,answer_epoch,end_stamp,end_epoch,duration,billsec,hangup_cause\n"
        "u-1,inbound,A,2026-02-03 09:00:05+00,1770109205,2026-02-03 09:00:10+00,1770109210,2026-02-03 09:02:00+00,1770109320,115,110,NORMAL_CLEARING\n"
        "u-2,inbound,A,2026-02-03 09:01:20+00,1770109280,,0,2026-02-03 09:01:40+00,1770109300,20,0,NO_ANSWER\n"
        "u-3,inbound,A,2026-02-03 09:01:20+00,1770109280,2026-02-03 09:01:30+00,1770109290,2026-02-03 09:04:50+00,1770109490,210,200,NORMAL_CLEARING\n",
        "fusionpbx",
        TWO,
    ),
    "freeswitch.jsonl": (
        "\n".join(
            _json(
                {
                    "core-uuid": "c",
                    "variables": {"uuid": k, "start_epoch": s, "answer_epoch": a, "end_epoch": e, "billsec": "1"},
                }
            )
            for k, s, a, e in (
                ("a", "1770109205", "1770109210", "1770109320"),
                ("b", "1770109280", "0", "1770109300"),
                ("c", "1770109280", "1770109290", "1770109490"),
            )
        ),
        "freeswitch-json",
        TWO,
    ),
    "cucm.csv": (
        "cdrRecordType,globalCallID_callManagerId,globalCallID_callId,dateTimeOrigination,dateTimeConnect,dateTimeDisconnect,duration\n"
        "INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,INTEGER\n"
        "1,1,7,1770109205,1770109210,1770109320,110\n1,1,8,1770109280,0,1770109300,0\n1,1,9,1770109280,1770109290,1770109490,200\n",
        "cucm",
        TWO,
    ),
    "avaya.csv": (
        "2026/02/03 09:00:05,00:01:50,5,0000,I,600,600,,0,1000014,0,E200,Extn200,T9001,Line 1.0,0,0\n"
        "2026/02/03 09:01:20,00:03:20,10,0000,I,600,600,,0,1000015,0,E200,Extn200,T9001,Line 1.0,0,0\n"
        "2026/02/03 09:01:21,00:00:00,20,0000,I,600,600,,0,1000016,0,E200,Extn200,T9001,Line 1.0,0,0\n",
        "avaya",
        [*TWO, (T + "09:01:41Z", 0)],
    ),
    "fritzbox.csv": (
        "sep=;\nTyp;Datum;Name;Rufnummer;Nebenstelle;Eigene Rufnummer;Dauer\n"
        "1;03.02.26 09:00;;01;Telefon;1;0:02\n4;03.02.26 09:01;;02;Telefon;1;0:04\n2;03.02.26 09:01;;02;;1;0:00\n",
        "fritzbox",
        [(T + "09:00:00Z", 120), (T + "09:01:00Z", 240), (T + "09:01:00Z", 0)],
    ),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_first_reading_is_right(name, tmp_path):
    """An export that many people have would not be known, or the wrong ones of its times be taken."""
    text, like, wanted = SAMPLES[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    calls = cap.read_calls(path, tz="UTC")
    assert f"like {like}:" in str(calls.account)
    found = sorted(zip(calls.frame["start"], calls.frame["end"], strict=True))
    assert found == sorted((pd.Timestamp(s), pd.Timestamp(s) + pd.Timedelta(seconds=n)) for s, n in wanted)


def test_every_known_export_has_a_sample():
    """An export would be in the table that nobody ever tried."""
    without = {
        "technion-bank",
        "ringcentral",
        "fritzbox-en",
    }  # the log itself, and a case of its own, are tried elsewhere
    assert set(exports()) == {like for _, like, _ in SAMPLES.values()} | without


def test_columns_by_nearly_our_names(tmp_path):
    """A log of columns with other names, in other tongues, would need every column to be said."""
    for start, end, length in (
        ("Call Start Time", "Call End Time", None),
        ("callStartedAt", "call_ended_at", None),
        ("Beginn", None, "Dauer (s)"),
        ("Início", None, "Duração (s)"),
        ("Heure de début", None, "Durée (secondes)"),
        ("Fecha y hora", None, "Duración (segundos)"),
        ("START_TIME_UTC", None, "DURATION_SECS"),
    ):
        path = Path(tmp_path) / "log.csv"
        path.write_text(
            f"who;{start};{end or length}\nA;2026-02-03 09:00:10;{'2026-02-03 09:02:00' if end else '110'}\n", "utf-8"
        )
        calls = cap.read_calls(path, tz="UTC")
        assert str(calls.frame["end"][0] - calls.frame["start"][0]) == "0 days 00:01:50", start


def test_unknown_columns_are_asked_about(tmp_path):
    """A column that nobody named would be taken for the end of calls."""
    path = tmp_path / "log.csv"
    path.write_text(
        "a,b,c\n2026-02-03 09:00:10,2026-02-03 09:02:00,7\n2026-02-03 09:01:30,2026-02-03 09:04:50,8\n", "utf-8"
    )
    with pytest.raises(Undecided) as caught:
        cap.read_calls(path, tz="UTC")
    calls = eval(caught.value.choices[0][0], {"cap": cap})
    assert (calls.frame["end"] - calls.frame["start"]).dt.total_seconds().tolist() == [110, 200]
