"""Exports of ChatGPT and Claude: the user's own words with their times, as often as one imports them."""

import io
import json
import zipfile
from typing import Any

import pytest

from clawactors.kernel.errors import Refused
from clawactors.memory.ingest.exports import ExportedNote
from clawactors.memory.ingest.importing import notes_in
from clawactors.memory.ingest.jsonlines import Dropped
from clawactors.memory.ingest.jsonstream import elements

AT = 1_714_521_600.5


def node(id: str, parent: str | None, role: str, *parts: Any, at: float | None = AT, **more: Any) -> dict[str, Any]:
    """A node of ChatGPT's tree of messages."""
    content = {"content_type": "text", "parts": list(parts)}
    message = {"id": id, "author": {"role": role}, "create_time": at, "content": content, "metadata": {}, **more}
    return {"id": id, "parent": parent, "children": [], "message": message}


def chatgpt(*nodes: dict[str, Any], current: str | None, **more: Any) -> dict[str, Any]:
    root = {"id": "root", "parent": None, "children": [], "message": None}
    mapping = {each["id"]: each for each in (root, *nodes)}
    head = {"id": "c-1", "title": "The build server", "create_time": AT - 10}
    return {**head, "mapping": mapping, "current_node": current, **more}


def claude(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "uuid": "u-1",
        "name": "搬家",
        "created_at": "2024-05-01T00:00:00Z",
        "chat_messages": list(messages),
        **more,
    }


def said(id: str, sender: str, text: str, *content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message of Claude's."""
    at = "2024-05-01T08:30:00.123456Z"
    return {"uuid": id, "sender": sender, "text": text, "content": list(content), "created_at": at, **more}


def read(value: Any, owner: str = "maya", **options: Any) -> list[ExportedNote | Dropped]:
    body = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return list(notes_in(io.BytesIO(body.encode()), "conversations.json", owner=owner, **options))  # type: ignore[arg-type]


def texts(value: Any) -> list[str]:
    return [one.content.text for one in read(value) if isinstance(one, ExportedNote)]


def test_only_the_users_own_messages_become_memories_of_the_owner() -> None:
    tree = chatgpt(
        node("s", "root", "system", "Be brief.", at=None),
        node("a", "s", "user", "My build server is called forge."),
        node("b", "a", "assistant", "Your favourite colour is green."),
        node("t", "b", "tool", "exit 0"),
        node("c", "t", "user", "Its port is", "2222.", at=AT + 60),
        current="c",
    )
    first, second = read([tree], tags=("chatgpt",))
    assert isinstance(first, ExportedNote)
    assert isinstance(second, ExportedNote)
    content = first.content
    assert (content.text, content.owner, content.speaker) == ("My build server is called forge.", "maya", "maya")
    assert (content.session, content.tags, content.origin) == ("c-1", ("chatgpt", "The build server"), "import")
    assert content.happened_ns == 1_714_521_600_500_000_000
    assert second.content.text == "Its port is\n2222."
    assert (content.position, second.content.position) == (1, 4), "the assistant's messages count for the order"
    assert texts(tree) == ["My build server is called forge.", "Its port is\n2222."], "one conversation, without a list"


def test_of_an_edited_conversation_the_branch_counts_that_the_user_left_off_at() -> None:
    nodes = [
        node("a", "root", "user", "I live in Turin."),
        node("b", "a", "assistant", "Nice."),
        node("old", "b", "user", "I work for Fiat."),
        node("new", "b", "user", "I work for Lancia.", at=AT + 5),
    ]
    assert texts([chatgpt(*nodes, current="new")]) == ["I live in Turin.", "I work for Lancia."]
    assert texts([chatgpt(*nodes, current="old")]) == ["I live in Turin.", "I work for Fiat."]
    assert texts([chatgpt(*nodes, current=None)]) == ["I live in Turin.", "I work for Lancia."], "the newest leaf"
    circle = [node("a", "b", "user", "one"), node("b", "a", "user", "two")]
    assert texts([chatgpt(*circle, current="a")]) == ["two", "one"]


def test_what_was_not_written_by_the_user_into_the_chat_is_left_out() -> None:
    hidden = {"is_visually_hidden_from_conversation": True}
    profile = {"content_type": "user_editable_context", "user_profile": "I am an assistant"}
    image = {"content_type": "image_asset_pointer", "asset_pointer": "file://1"}
    nodes = [
        node("a", "root", "user", "hidden words", metadata=hidden),
        node("p", "a", "user", content=profile),
        node("b", "p", "user", image),
        node("c", "b", "user", image, "What is this?"),
        node("d", "c", "user", {"content_type": "audio_transcription", "text": "I said this aloud."}),
    ]
    assert texts([chatgpt(*nodes, current="d")]) == ["What is this?", "I said this aloud."]


def test_claudes_messages_are_read_with_their_times() -> None:
    thinking = {"type": "thinking", "thinking": "hm"}
    messages = [
        said("1", "human", "我搬到了拉萨。"),
        said("2", "assistant", "你住在巴黎。", thinking),
        said("3", "human", "whole text", {"type": "text", "text": "只有文字"}, {"type": "tool_use", "name": "x"}),
    ]
    first, second = read([claude(*messages)])
    assert isinstance(first, ExportedNote)
    assert isinstance(second, ExportedNote)
    assert (first.content.text, first.content.session, first.content.tags) == ("我搬到了拉萨。", "u-1", ("搬家",))
    assert first.content.happened_ns == 1_714_552_200_000_000_000
    assert (second.content.text, second.content.position) == ("只有文字", 2)
    edited = [said("1", "human", "old"), said("2", "human", "new", parent_message_uuid="0")]
    assert texts([claude(*edited, current_leaf_message_uuid="2")]) == ["new"]


def test_what_was_pasted_is_the_users_and_a_file_is_not() -> None:
    pasted = {"file_name": "", "extracted_content": "The router is in the attic."}
    named = {"file_name": "report.pdf", "extracted_content": "Nobody said this."}
    messages = [
        said("1", "human", "See below.", attachments=[pasted, named]),
        said(
            "2", "human", "", attachments=[{"file_name": "paste.txt", "extracted_content": "The modem is beside it."}]
        ),
    ]
    assert texts([claude(*messages)]) == ["See below.\nThe router is in the attic.", "The modem is beside it."]


def test_an_archive_is_read_as_it_is_downloaded() -> None:
    def archived(**files: Any) -> list[ExportedNote | Dropped]:
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, value in files.items():
                archive.writestr(f"export/{name}.json", json.dumps(value))
        body.seek(0)
        return list(notes_in(body, "Export.ZIP", owner="maya"))  # type: ignore[arg-type]

    one, other = chatgpt(node("a", "root", "user", "first"), current="a"), claude(said("1", "human", "second"))
    found = archived(**{"conversations-001": [other], "conversations-000": [one], "user": {"name": "x"}})
    assert [each.content.text for each in found if isinstance(each, ExportedNote)] == ["first", "second"]
    with pytest.raises(Refused, match=r"no conversations\.json"):
        archived(user={"name": "x"})
    with pytest.raises(Refused, match="can't be read"):
        list(notes_in(io.BytesIO(b"no archive"), "x.zip", owner="maya"))


def test_the_same_export_again_names_the_same_memories_and_other_owners_others() -> None:
    export = [
        chatgpt(node("a", "root", "user", "ok"), node("b", "a", "user", "ok"), current="b"),
        claude(said("1", "human", "ok")),
    ]
    keys = [one.key for one in read(export) if isinstance(one, ExportedNote)]
    assert len(set(keys)) == 3, "each message is one, whatever its words"
    assert keys == [one.key for one in read(export) if isinstance(one, ExportedNote)]
    long = chatgpt(node("a", "root", "user", "A sentence of a long story. " * 5000), current="a")
    pieces = [one for one in read([long]) if isinstance(one, ExportedNote)]
    assert len({one.key for one in pieces}) == len(pieces) > 30
    assert sum(one.content.text.count("long story") for one in pieces) == 5000


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"hello": 1}, "no export of ChatGPT or Claude"),
        ([{"text": "a note"}], "notes are JSON Lines"),
        ([1, 2], "no export"),
        ("{not json", "invalid JSON"),
        ('{"text": "a"}\n{"text": "b"}', "notes are JSON Lines"),
        ('{"mapping": {}}\n{"mapping": {}}', "more behind the first object"),
        ('[{"mapping": {}}', "ends in the middle"),
        ('[{"mapping": {}} {"mapping": {}}]', "',' was expected"),
        ("[" * 100_000, "nested too deeply"),
        ("", "invalid JSON"),
    ],
)
def test_json_of_another_shape_is_refused_with_the_reason(value: Any, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read(value)


def test_an_export_is_somebodys_and_an_empty_one_is_nothing() -> None:
    with pytest.raises(Refused, match="--owner"):
        read([claude(said("1", "human", "hello"))], owner="")
    assert read([]) == []


def test_a_broken_message_is_named_and_holds_up_no_other() -> None:
    nodes = [node("a", "root", "user", "first"), node("b", "a", "user", "second")]
    tree = chatgpt(*nodes, {"id": "x", "parent": "b", "message": {"content": {}}}, current="x")
    found = read([tree, {"neither": "nor"}, claude("no message", said("1", "human", "third"))])  # type: ignore[arg-type]
    assert [one.content.text for one in found if isinstance(one, ExportedNote)] == ["first", "second", "third"]
    assert [str(one) for one in found if isinstance(one, Dropped)] == [
        "conversation 1 (The build server), message 3: it has no author",
        "conversation 2: it has neither `mapping` nor `chat_messages`",
        "conversation 3 (搬家), message 1: it has no sender",
    ]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_list_is_read_element_by_element_however_the_text_is_cut(step: int) -> None:
    values = [{"a": ['x\\"]', "\u6c34"]}, [1, [2]], {}, "text, [", None]
    text = io.StringIO(" " + json.dumps(values, indent=2) + "\n")
    assert list(elements(lambda size: text.read(min(size, step)))) == values
