"""Questions about lines: which ones are asked, in English and Chinese, and the rules that each obeys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.asking import Asker, Style
from selfinstruct.asking.chinese import chinese_questions
from selfinstruct.asking.question import is_right
from selfinstruct.text import canonical, find_span, is_bound

SEEDS = Path(__file__).parents[2] / "seeds"

LEASE = "Failed to renew lease for client_81_7 for 30 seconds"
PASSWORD = "Failed password for invalid user anna from 10.0.0.4 port 2201"
CONNECTION = "connection from 10.0.0.4 at Sat Jul  9 12:59:44 2005"
CLOSED = "2024-05-01 10:00:00,120 INFO net.Server: Closed session 0x14e"
ESTABLISHED = "Established session 0x14e with timeout 4000 for client /10.0.0.4:39"
RECEIVED = "Received block blk_7 of size 671 from /10.0.0.9"
CHANNEL = "Cannot open channel to 3 at election address /10.0.0.4:3888"
FINISHED = "Finished task 28.0 in stage 29.0 (TID 1348)"
UNHEARD = "Did not receive identification string from 10.0.0.4"
RECEIVING = "Receiving block blk_7 src: /10.0.0.4:39 dest: /10.0.0.9:50"
STORED = "Block rdd_7 stored as bytes in memory (estimated size 5.6 KB, free 646.2 KB)"
ASK = "BLOCK* ask 10.0.0.4:50 to replicate blk_7 to datanode(s) 10.0.0.9:50"
BYE = "Received disconnect from 10.0.0.4: 11: Closed due to user request. [preauth]"
MAPPING = "reverse mapping checking getaddrinfo for mail.example.com [10.0.0.4] failed - BREAK-IN ATTEMPT!"
RECORD = "authentication failure; logname= uid=0 tty=ssh ruser= rhost=10.0.0.4  user=anna"
GOT = "10.0.0.9:50:Got exception while serving blk_7 to /10.0.0.4:"
TASK = "任务 task_17 执行完成，耗时 120 秒，处理记录 5000 条"


def asked(line: str, *others: str, style: Style | None = None) -> dict[str, str]:
    """The questions about a line, each with its answer; ``others`` are lines that the asker sees as well."""
    return {each.text: each.answer for each in Asker([line, *others], style or Style.default()).questions(0)}


@pytest.mark.parametrize(
    ("line", "question", "answer"),
    [
        (RECEIVED, "What is the size of block blk_7?", "671"),
        (RECEIVED, "How large is block blk_7?", "671"),
        (RECEIVED, "Where was block blk_7 received from?", "10.0.0.9"),
        (RECEIVED, "What is the source address of block blk_7?", "10.0.0.9"),
        (RECEIVED, "Which block was received from 10.0.0.9?", "blk_7"),
        (RECEIVED, "What happened to block blk_7?", "Received"),
        ("Partition rdd_4_2 not found, computing it", "What is the status of partition rdd_4_2?", "not found"),
        ("Partition rdd_4_2 not found, computing it", "Is partition rdd_4_2 found?", "not"),
        ("Partition rdd_4_2 not found, computing it", "Which partition was not found?", "rdd_4_2"),
        (CHANNEL, "What could not be opened?", None),
        (
            CHANNEL,
            "At which election address could the channel not be opened?",
            "10.0.0.4:3888",
        ),
        ("Verification succeeded for blk_81", "What was the result of the verification for blk_81?", "succeeded"),
        ("Verification succeeded for blk_81", "Was the verification for blk_81 successful?", "succeeded"),
        (LEASE, "For how long could the lease not be renewed?", "30 seconds"),
        (LEASE, "For how many seconds could the lease not be renewed?", "30"),
        ("session opened for user anna by (uid=0)", "Who was the session opened for?", "anna"),
        ("session opened for user anna by (uid=0)", "What happened to the session for user anna?", "opened"),
        (PASSWORD, "For which invalid user did the password fail?", "anna"),
        (PASSWORD, "What is the port of 10.0.0.4?", "2201"),
        ("task_81 transitioned from NEW to RUNNING", "What did task_81 transition to?", "RUNNING"),
        ("maxSessionTimeout set to 40000", "What is the value of maxSessionTimeout?", "40000"),
        ("Progress of attempt_81 is : 0.51", "What is the progress of attempt_81?", "0.51"),
        ("Number of reduces for job_81 = 4", "How many reduces for job_81 are there?", "4"),
        ("Worker thread leaving pool", "What is the worker thread doing?", "leaving pool"),
        ("mail.example.com:443 close, 517 bytes sent, 80 bytes received", "How many bytes were received?", "80"),
        ("mail.example.com:443 close, 1717 bytes (1.68 KB) sent", "How many KB were sent?", "1.68"),
        ("Login failed for user anna: account is locked", "Why did the login fail for user anna?", "account is locked"),
        (CONNECTION, "When did the connection from 10.0.0.4 occur?", "Sat Jul  9 12:59:44 2005"),
        ("auth failure; uid=0 rhost=db1.example.com", "What is the remote host?", "db1.example.com"),
        ('{"service": "billing", "latency_ms": 41}', "What is the value of service?", "billing"),
        ("find_child() Found child 81 in slot 9", "Which function found child 81?", "find_child()"),
        (CLOSED, "Which component closed session 0x14e?", "net.Server"),
        (CLOSED, "When was session 0x14e closed?", "2024-05-01 10:00:00,120"),
        ("Mar 14 02:17:33 web1 sshd[24]: Closed session 0x14e", "What is the process ID of sshd?", "24"),
        (
            "Interrupted while waiting for message on queue",
            "What happened while waiting for message on queue?",
            "Interrupted",
        ),
        ("Process 81 exited abnormally with code 7", "How did process 81 exit?", "abnormally"),
        ("a.example.com:443 open through proxy b.example.com:80 HTTPS", "Which protocol is used?", "HTTPS"),
        ("Reading variable 9 took 12 ms", "How many milliseconds did reading variable 9 take?", "12"),
        ("Started 3 remote fetches in 6 ms", "How many remote fetches were started?", "3"),
        ("Container web-7f restarted 3 times", "How many times did container web-7f restart?", "3"),
        ("Disk usage on /dev/sda1 is 91%", "What is the disk usage on /dev/sda1?", "91%"),
        ("User anna uploaded file a.pdf to folder /docs", "Who uploaded file a.pdf?", "anna"),
        ("User anna logged in from 10.0.0.7", "From which address did user anna log in?", "10.0.0.7"),
        ("Marie Curie was born in Warsaw in 1867.", "Who was born in Warsaw?", "Marie Curie"),
        ("The bridge was built in 1932 by an engineer.", "When was the bridge built?", "1932"),
        ("Received disconnect from 10.0.0.4 port 22:11: Bye Bye [preauth]", "Why did 10.0.0.4 disconnect?", "Bye Bye"),
        ("Received disconnect from 10.0.0.4 port 22:11: Bye Bye [preauth]", "What is the port of 10.0.0.4?", "22"),
        ("task_81 transitioned from NEW to RUNNING", "What is the new state of task_81?", "RUNNING"),
        ("vendor=Example Corporation", "What is the vendor?", "Example Corporation"),
        ("Linux agpgart interface v0.100", "What is the version of the Linux agpgart interface?", "v0.100"),
        ("Service nginx is running", "What is the status of service nginx?", "running"),
        ("Job nightly-report started by user carol", "Who was job nightly-report started by?", "carol"),
        ("Battery level dropped to 15%", "What did the battery level drop to?", "15%"),
        ("Task 7 has been cancelled by user dave", "Which task was cancelled by user dave?", "7"),
        (
            "Could not load configuration file /etc/app.yml",
            "Which configuration file could not be loaded?",
            "/etc/app.yml",
        ),
        ('I0814 09:12:44.120 12345 kubelet.go:1820] Pod "web-0" evicted', "What happened to pod web-0?", "evicted"),
        ("Session 81 was closed due to a lost network", "Why was session 81 closed?", "a lost network"),
        (ESTABLISHED, "For which client was session 0x14e established?", "10.0.0.4:39"),
        (FINISHED, "What is the TID of task 28.0?", "1348"),
        (FINISHED, "In which stage was task 28.0 finished?", "29.0"),
        (FINISHED, "What is the ID for stage 29.0?", "1348"),
        ("Expiring session 0x14e, timeout of 10000ms exceeded", "How long is the timeout?", "10000ms"),
        (UNHEARD, "Was the identification string received from 10.0.0.4?", "not"),
        (UNHEARD, "Who did not send an identification string?", "10.0.0.4"),
        (UNHEARD, "From whom was no identification string received?", "10.0.0.4"),
        (RECEIVED, "Who sent block blk_7?", "10.0.0.9"),
        (RECEIVED, "Where did block blk_7 come from?", "10.0.0.9"),
        (RECEIVING, "What is the source of block blk_7?", "10.0.0.4:39"),
        (RECEIVING, "What is the src of block blk_7?", "10.0.0.4:39"),
        (RECEIVING, "What is the destination of block blk_7?", "10.0.0.9:50"),
        (RECEIVING, "Where is block blk_7 received from?", "10.0.0.4:39"),
        (RECEIVING, "Which address does block blk_7 go to?", "10.0.0.9:50"),
        (
            "Connecting to driver: spark://Scheduler@10.0.0.4:5001",
            "What is the address of the driver?",
            "10.0.0.4:5001",
        ),
        ("Connecting to driver: spark://Scheduler@10.0.0.4:5001", "What is the port of the driver?", "5001"),
        (
            "Connecting to broker: amqp://mq1.example.com:5672/jobs",
            "What is the host of the broker?",
            "mq1.example.com",
        ),
        (STORED, "What is the free size of block rdd_7?", "646.2 KB"),
        (STORED, "How many KB is block rdd_7 free?", "646.2"),
        (STORED, "In what form was block rdd_7 stored?", "bytes"),
        (STORED, "Block rdd_7 was stored as what?", "bytes"),
        ("Found block rdd_7 locally", "Where was block rdd_7 found?", "locally"),
        ("Changing view acls to: yarn,anna", "What are the view acls changed to?", "yarn,anna"),
        ("request: invalid user anna [preauth]", "What is the status of user anna?", "invalid"),
        ("request: invalid user anna [preauth]", "Which user is invalid?", "anna"),
        ("Invalid user anna from 10.0.0.4", "What is the source address of user anna?", "10.0.0.4"),
        ("blk_7 is added to invalidSet of 10.0.0.4:50", "Whose invalidSet was block blk_7 added to?", "10.0.0.4:50"),
        (RECEIVED, "What is the size of the block blk_7?", "671"),
        (RECEIVED, "What is the size of blk_7?", "671"),
        ("PAM 5 more authentication failures; uid=0", "How many more authentication failures are there?", "5"),
        ("usr=anna cnt=7", "What is the count?", "7"),
        ("Got assigned task 81", "Which task was assigned?", "81"),
        ("10.0.0.9:50 Served block blk_7 to /10.0.0.4", "Who served block blk_7?", "10.0.0.9:50"),
        ("10.0.0.9:50 Served block blk_7 to /10.0.0.4", "Who was block blk_7 served to?", "10.0.0.4"),
        (ASK, "Who is asked to replicate blk_7?", "10.0.0.4:50"),
        (ASK, "Where is blk_7 replicated to?", "10.0.0.9:50"),
        (ASK, "Which block is 10.0.0.4:50 asked to replicate?", "blk_7"),
        (BYE, "What is the code of the disconnect from 10.0.0.4?", "11"),
        (BYE, "What is the reason of the disconnect from 10.0.0.4?", "Closed due to user request"),
        (BYE, "Who disconnected?", "10.0.0.4"),
        ("Disconnecting: Too many failures for user anna", "Why was user anna disconnected?", "Too many failures"),
        (MAPPING, "What is the host name of 10.0.0.4?", "mail.example.com"),
        (MAPPING, "What is the IP of mail.example.com?", "10.0.0.4"),
        (MAPPING, "What is the result of reverse mapping checking for mail.example.com?", "failed"),
        (RECORD, "Which user failed the authentication from 10.0.0.4?", "anna"),
        (RECORD, "Where did the authentication failure come from?", "10.0.0.4"),
        (GOT, "What did 10.0.0.9:50 get while serving blk_7?", "exception"),
        (GOT, "Which block was being served to 10.0.0.4?", "blk_7"),
        (GOT, "Who was blk_7 being served to?", "10.0.0.4"),
        ("blk_7 is added to invalidSet of 10.0.0.4:50", "Whose invalidSet was blk_7 added to?", "10.0.0.4:50"),
        (
            "Initializing random generator:  succeeded",
            "What was the result of initializing the random generator?",
            None,
        ),
    ],
)
def test_an_english_line_is_asked_about(line: str, question: str, answer: str | None) -> None:
    """A question that a person would ask about an English line is among those that are composed."""
    questions = asked(line)
    if answer is None:
        assert questions
    else:
        assert questions.get(question) == answer, "\n".join(f"{each} {questions[each]}" for each in questions)


@pytest.mark.parametrize(
    ("line", "question", "answer"),
    [
        ("用户 张三 登录成功，来源 10.0.0.1", "用户张三的登录来源是什么？", None),
        ("用户 张三 登录成功，来源 10.0.0.1", "用户张三登录的来源是什么？", "10.0.0.1"),
        ("用户 张三 登录成功，来源 10.0.0.1", "谁登录成功？", "张三"),
        ("用户 张三 登录成功，来源 10.0.0.1", "用户张三的登录结果是什么？", "成功"),
        ("用户李四从 192.168.1.5 登录失败，原因：密码错误", "用户李四从哪里登录？", "192.168.1.5"),
        ("用户李四从 192.168.1.5 登录失败，原因：密码错误", "用户李四为什么登录失败？", "密码错误"),
        (TASK, "任务task_17的耗时是多少秒？", "120"),
        (TASK, "任务task_17处理了多少条记录？", "5000"),
        (TASK, "哪个任务执行完成？", "task_17"),
        ("服务 nginx 启动失败：端口 8080 已被占用", "服务nginx启动失败的原因是什么？", "端口 8080 已被占用"),
        ("设备 SN-1001 离线，电量 12%", "设备SN-1001的电量是多少？", "12%"),
        ("设备 SN-1001 离线，电量 12%", "设备SN-1001的状态是什么？", "离线"),
        ("2024-05-01 10:00:00 INFO 订单 2024 创建成功", "订单2024是什么时候创建成功的？", "2024-05-01 10:00:00"),
        ("管理员王五删除了用户 赵六", "谁删除了用户赵六？", "王五"),
        ("无效用户 张三 尝试登录", "哪个用户无效？", "张三"),
        ("无效用户 张三 尝试登录", "用户张三的状态是什么？", "无效"),
        ("分区 rdd_4_2 未找到，正在计算", "分区rdd_4_2找到了吗？", "未找到"),
        ("节点 node-1 将数据块 blk_7 发送到 node-2", "数据块blk_7被发送到哪里？", "node-2"),
        ("节点 node-1 将数据块 blk_7 发送到 node-2", "哪个节点发送了数据块blk_7？", "node-1"),
        ("块 blk_7 已接收，源地址: 10.0.0.1 目标地址: 10.0.0.2", "块blk_7来自哪里？", "10.0.0.1"),
        ("块 blk_7 已接收，源地址: 10.0.0.1 目标地址: 10.0.0.2", "块blk_7发往哪里？", "10.0.0.2"),
        ("认证失败：用户=张三 来源=10.0.0.1", "哪个用户从10.0.0.1认证失败？", "张三"),
        ("主机 mail.example.com（10.0.0.7）解析失败", "主机mail.example.com的IP地址是什么？", "10.0.0.7"),
        ("主机 mail.example.com（10.0.0.7）解析失败", "IP地址10.0.0.7对应的主机是哪个？", "mail.example.com"),
        ("《史记》由司马迁所撰，共一百三十卷", "《史记》共有多少卷？", "一百三十"),
    ],
)
def test_a_chinese_line_is_asked_about(line: str, question: str, answer: str | None) -> None:
    """A question that a person would ask about a Chinese line is among those that are composed."""
    questions = asked(line, style=Style.default("zh"))
    if answer is None:
        assert questions
    else:
        assert questions.get(question) == answer, "\n".join(f"{each} {questions[each]}" for each in questions)


@pytest.mark.parametrize(
    ("line", "never"),
    [
        ("Partition rdd_4_2 not found, computing it", "What happened to partition rdd_4_2?"),
        (RECEIVED, "What is the size of 10.0.0.9?"),
        ("10.0.0.9:50 is added to blk_88 size 671", "What is the size of 10.0.0.9:50?"),
        ("PAM 5 more authentication failures; uid=0", "What is the PAM?"),
        ("total entries: 8192", "What are the total entries?"),
        ("Authentication failed from 163.27.187.39", "What failed from 163.27.187.39?"),
        ("BLOCK* NameSystem.allocateBlock: /tmp/a-1", "What is the BLOCK NameSystem.allocateBlock?"),
        ("Moved from port 81 to port 82", "What is the port?"),
        ("auth failure; uid=0 euid=0", "What is the effective user ID?"),
        ("logname= uid=0", "What is the logname?"),
        ("REPORT : 7038 5025 150753", "What is the report?"),
        ("ERROR IN CONTACTING RM.", "What is the log level of the message?"),
        ("Changing view acls to: yarn,curi", "What is the view acls?"),
        ("kernel: [12345.678] usb 1-1: new device", "What is the usb?"),
        ("Connection will be closed", "What happened to the connection?"),
        ("JVM with ID: jvm_81 given task: attempt_9", "What is the ID of attempt_9?"),
        ("Message msg-81 given to node n-7", "What given message msg-81?"),
        ("session opened for user anna by (uid=509)", "What is the user ID of user anna?"),
        ("CPU: L2 cache: 256K", "What is the CPU?"),
        ("Message from db1:90 to db2:91", "What is the source address of db2:91?"),
        ("Elevator 2 stopped between floors 4 and 5", "How many floors are there?"),
        ("Elevator 2 stopped between floors 4 and 5", "What are the floors?"),
        ("Index logs-7 deleted by user admin", "What is the index of user admin?"),
        ("Flight LH441 wuxed from Frankfurt", "What is flight LH441 from?"),
        ("Timeout waiting for response from 10.0.0.9", "Which address is the timeout waiting from?"),
        ("check pass; user unknown", "Who is mentioned in the message?"),
        ("用户 张三 登录失败", "用户张三的登录结果是成功吗？"),
    ],
)
def test_a_doubtful_question_is_not_asked(line: str, never: str) -> None:
    """A question with a wrong answer, or with several, is not composed."""
    assert never not in asked(line)


def test_the_answer_is_the_first_of_equal_values() -> None:
    """Of two slots with the same text only the first is asked about, as the answer is searched from the left."""
    places = {each.start for each in Asker(["from port=81 to size=81"], Style.default()).questions(0)}
    assert places == {10}


def test_words_that_alternate_are_values() -> None:
    """A word without digits that other lines have other words for is asked about like a number."""
    lines = [f"Accepted key for {name} from 10.0.0.{at}" for at, name in enumerate(("zoe", "ulf", "kim", "eve"))]
    assert asked(lines[0], *lines[1:])["Which address was the key accepted from?"] == "10.0.0.0"
    assert "zoe" in asked(f"login of user {'zoe'}", *(f"login of user {name}" for name in ("ulf", "kim"))).values()


def test_an_answer_has_its_unit_where_the_seeds_show_it() -> None:
    """The unit after a number is in the answer by default, and not where the seeds answer with numbers alone."""
    line = "Stored block rdd_7 with size 34 KB"
    bare = Style.of([("How large is it?", "34", "size 34 KB")])
    assert asked(line)["What is the size of block rdd_7?"] == "34 KB"
    assert asked(line, style=bare)["What is the size of block rdd_7?"] == "34"
    assert asked(line)["How many KB is the size?"] == "34"
    mixed = Style.of([("How large is it?", "34", "size 34 KB"), ("What is the size?", "34 KB", "size 34 KB")])
    answers = asked(line, style=mixed)
    assert (answers["What is the size?"], answers["How large is block rdd_7?"]) == ("34 KB", "34")


def test_a_negated_state_is_answered_as_the_seeds_do() -> None:
    """Seeds that answer with "not" alone make "not" the answer; the negation is never lost."""
    rows = [json.loads(line) for line in (SEEDS / "logqa.jsonl").read_text(encoding="utf-8").splitlines()]
    style = Style.of([(row["Question"], row["Answer"], row["RawLog"]) for row in rows])
    assert asked("Partition rdd_4_2 not found", style=style)["Is partition rdd_4_2 found?"] == "not"
    assert asked("Partition rdd_4_2 not found")["Is partition rdd_4_2 found?"] == "not"
    whole = Style.of([("Is p7 found?", "not found", "p7 not found")])
    assert asked("Partition rdd_4_2 not found", style=whole)["Is partition rdd_4_2 found?"] == "not found"
    assert "Is partition rdd_4_2 found?" in asked("Partition rdd_4_2 never found")


def test_questions_about_a_line_are_the_same_each_time() -> None:
    """Two askers over the same lines compose the same questions in the same order."""
    lines = [json.loads(line)["RawLog"] for line in (SEEDS / "sshd.jsonl").read_text(encoding="utf-8").splitlines()]
    first, second = Asker(lines, Style.default()), Asker(lines, Style.default())
    backwards = [second.questions(at) for at in reversed(range(len(lines)))]
    assert [first.questions(at) for at in range(len(lines))] == backwards[::-1]


def test_another_language_is_not_asked_about() -> None:
    """An asker of one language composes nothing about lines of the other."""
    asker = Asker(["用户 张三 登录成功", "Closed session 0x14e"], Style.default("zh"), language="zh")
    assert asker.questions(0)
    assert not asker.questions(1)


WORDS = st.sampled_from(
    (
        *(
            "Received",
            "Closed",
            "failed",
            "not",
            "found",
            "block",
            "session",
            "user",
            "root",
            "from",
            "to",
            "of",
            "for",
        ),
        *("size", "port", "=", ":", ",", ";", "(", ")", "[", "]", "-", "10.0.0.7", "blk_7", "0x14e", "671", "12 KB"),
        *(
            "task",
            "the",
            "is",
            "was",
            "cannot",
            "open",
            "Opening",
            "by",
            "with",
            "timeout",
            "uid",
            "/var/log",
            "because",
        ),
        *(
            "用户",
            "张三",
            "登录",
            "成功",
            "，",
            "来源",
            "10 秒",
            "失败",
            "原因：",
            "的",
            "三卷",
            "error",
            '"quoted text"',
        ),
        *(
            '{"key": "value"}',
            "2024-05-01 10:00:00 INFO net.Server:",
            "at",
            "in",
            "<1 sec",
            "a.b.c",
            "ms",
            "set",
            "free",
        ),
    )
)
LINES = st.one_of(
    st.lists(WORDS, max_size=14).map(" ".join), st.lists(WORDS, max_size=10).map("".join), st.text(max_size=80)
)


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4), st.booleans())
def test_every_question_obeys_the_rules(lines: list[str], has_units: bool) -> None:
    """The answer is in the line, between token boundaries, first where it is asked, and not in the question."""
    asker = Asker(lines, Style(has_units=has_units))
    for index, line in enumerate(lines):
        questions = asker.questions(index)
        assert len({each.text for each in questions}) == len(questions)
        for each in questions:
            end = each.start + len(each.answer)
            assert line[each.start : end] == each.answer.strip() != ""
            assert is_bound(line, each.start)
            assert is_bound(line, end)
            assert find_span(each.answer, line) == (each.start, end)
            assert find_span(canonical(each.answer).casefold(), canonical(each.text).casefold()) is None
            assert each.text.endswith(("?", "？"))
            assert each.weight > 0


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    """No text raises an error."""
    Asker([text], Style.default()).questions(0)


@pytest.mark.parametrize(
    ("line", "answer", "right"),
    [
        ("手机号 159****0086 已验证", "159", False),
        ("手机号 159****0086 已验证", "159****0086", True),
        ("审核驳回，原因：收货地址异常", "收货", False),
        ("审核驳回，原因：收货地址异常", "收货地址异常", True),
        ("执行完成，处理记录：87条", "87", True),
        ("card 4417****1234 declined", "4417", False),
    ],
)
def test_an_answer_is_a_whole_value(line: str, answer: str, right: bool) -> None:
    """A part of a masked number, or the first word of what a colon introduces, answers nothing."""
    start = line.index(answer)
    assert is_right("问的是什么？", line, start, start + len(answer)) is right


@pytest.mark.parametrize(
    ("text", "unasked"),
    [
        ("员工手册（节选）\n第一条 请病假须提前告知", "手册"),
        ("工作时间为周一至周五 9:00 至 18:00，午休一小时", "周一"),
        ("营业时间：9:00 至 18:00", "9:00"),
    ],
)
def test_no_question_has_a_part_of_its_answer(text: str, unasked: str) -> None:
    """Neither the rest of a compound after the noun of a person, nor one end of a span of time."""
    assert unasked not in {text[draft.start : draft.end] for draft in chinese_questions(text)}


def test_a_name_right_after_its_noun_is_one() -> None:
    """With a surname, or as people are called."""
    for text, name in (("用户张三登录成功", "张三"), ("员工小明提交了申请", "小明")):
        assert name in {text[draft.start : draft.end] for draft in chinese_questions(text)}
