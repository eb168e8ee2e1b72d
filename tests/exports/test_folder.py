"""An exported folder: what is in it, what it replaces, and that it is whole."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.errors import InputError
from selfinstruct.exports import ExportRow, ExportRows, Settings
from selfinstruct.exports.folder import FolderFacts, write_folder
from selfinstruct.exports.manifest import Origin
from selfinstruct.files import open_folder

LOGQA = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
#: What a folder is said to be made from.
ORIGIN: Origin = {"run": "rows", "recipe_sha256": "", "seeds_sha256": "", "export": {}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of twenty rows."""
    where = tmp_path_factory.mktemp("run") / "logqa"
    api.run(LOGQA, rows=20, out=where)
    return where


def files_of(folder: Path) -> set[str]:
    """The paths of all files in a folder."""
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_a_folder_has_the_data_and_what_tools_read_beside_it(run: Path, tmp_path: Path) -> None:
    """Every file is in the manifest with its digest and, of data, its rows; nothing else is left behind."""
    done = api.export(run, out := tmp_path / "set", format="llama-factory")
    assert files_of(tmp_path) == {
        f"set/{name}" for name in ("data/train.jsonl", "dataset_info.json", "README.md", "manifest.json")
    }
    about = json.loads((out / "manifest.json").read_bytes())
    assert {each["path"] for each in about["files"]} | {"manifest.json"} == files_of(out)
    for each in about["files"]:
        data = (out / each["path"]).read_bytes()
        assert (len(data), sha256(data).hexdigest()) == (each["bytes"], each["sha256"])
    assert about["files"][0]["rows"] == done.rows == 20 and done.files[0].split == "train"
    assert (about["run"], about["export"]) == ("logqa", {"format": "llama-factory"})
    assert str(tmp_path) not in (out / "manifest.json").read_text()


def test_the_same_export_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    """All files of two folders are equal, the manifest too."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        api.export(run, f"{folder}/", format="jsonl")
    one, two = ({name: (folder / name).read_bytes() for name in files_of(folder)} for folder in folders)
    assert one == two and one["data/train.jsonl"] == (run / "rows.jsonl").read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv"])
def test_datasets_loads_the_folder_by_its_card(
    form: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The splits of the card are those of the library; other files of the folder are no data."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    api.export(run, f"{tmp_path}/set/", format=form, keep_formulas=form == "csv")
    loaded = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    lines = (run / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert list(loaded) == ["train"]
    texts = [{name: str(value) for name, value in row.items()} for row in loaded["train"]]
    assert texts == [json.loads(line) for line in lines]


def test_the_card_counts_the_rows_that_are_not_grown(run: Path, tmp_path: Path) -> None:
    """An export with seeds says so; the front matter has the splits and keeps what the card of the run says."""
    import yaml

    api.export(run, tmp_path / "set", split={"train": 0.8, "test": 0.2}, with_seeds=True)
    page = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(page.split("---\n")[1])
    assert [each["split"] for each in front["configs"][0]["data_files"]] == ["train", "test"] and front["tags"]
    assert "Exported as `jsonl`, of 10 seed, 20 synthetic rows." in page
    api.export(run, f"{tmp_path}/other/")
    assert "Exported as `jsonl`. `manifest.json`" in (tmp_path / "other" / "README.md").read_text(encoding="utf-8")


def test_nothing_is_overwritten_unasked(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file, and a folder with files, are replaced by force alone; files of the user's own stay."""
    file, folder = tmp_path / "rows.csv", tmp_path / "set"
    for out, form in ((file, "csv"), (folder, "axolotl")):
        command = ["export", str(run), "--format", form, "-o", str(out)]
        assert main(command) == 0
        before = {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path)}
        assert main(command) == 2
        assert "overwrite it with --force" in capfd.readouterr().err
        assert {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path)} == before
        assert main([*command, "--force"]) == 0
    (folder / "notes.txt").write_text("mine")
    assert main(["export", str(run), "--format", "llama-factory", "-o", str(folder), "--force"]) == 0
    assert files_of(folder) == {"notes.txt", "data/train.jsonl", "dataset_info.json", "README.md", "manifest.json"}
    with pytest.raises(InputError, match="is a file"):
        api.export(run, file, format="axolotl")


def test_a_folder_that_cannot_be_finished_is_not_begun(run: Path, tmp_path: Path) -> None:
    """Where a row does not fit the format, no folder is made, and an old one stays as it was."""
    api.export(run, tmp_path / "set", format="axolotl")
    before = {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path)}
    for name in ("set/", "new/"):
        with pytest.raises(InputError, match="no field for chosen"):
            api.export(run, f"{tmp_path}/{name}", format="preference", force=True)
    assert {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path)} == before
    assert [each.name for each in tmp_path.iterdir()] == ["set"]


def test_a_manifest_cannot_name_files_outside_its_folder(tmp_path: Path) -> None:
    """The names of a folder's own manifest are not trusted."""
    (tmp_path / "set").mkdir()
    (tmp_path / "outside").write_text("stays")
    (tmp_path / "set" / "old").write_text("goes")
    with open_folder(tmp_path / "set", last="m", obsolete=["../outside", str(tmp_path / "outside"), "old"]) as part:
        (part / "m").write_text("{}")
    assert files_of(tmp_path) == {"outside", "set/m"}


def test_columns_of_dates_are_named(tmp_path: Path) -> None:
    """JSON Lines in which a reader takes texts for dates come with a note, other texts and Parquet without."""
    rows = [{"at": f"2024-05-{n:02}T10:00", "day": "2024-05-01", "text": "2024-05-01 or so", "n": n} for n in (1, 2)]
    for form, start in (("jsonl", "at, day: the datasets library reads"), ("parquet", "")):
        items = ExportRows((ExportRow(json.dumps(row), "") for row in rows), tuple(rows[0]))
        (folder := tmp_path / form).mkdir()
        _, notes = write_folder(folder, {"train": items}, Settings(form), FolderFacts("rows", "", (), ORIGIN))
        assert "\n".join(notes).startswith(start) and bool(notes) == bool(start)


def test_options_of_other_formats_are_refused(run: Path, tmp_path: Path) -> None:
    """An option without an effect is an error, and so is a role that the format lacks."""
    for options, words in (
        ({"format": "jsonl", "bom": True}, "`bom`: has no effect"),
        ({"format": "preference", "columns": {"user": "Question"}}, "unknown role 'user'"),
        ({"format": "triplets", "columns": {"query": "nowhere"}}, "no field 'nowhere'"),
        ({"format": "text", "columns": {"text": "RawLog"}, "keep_formulas": True}, "`keep_formulas`: has no effect"),
    ):
        with pytest.raises(InputError, match=words):
            api.export(run, tmp_path / "x", **options)


def test_every_format_of_the_library_is_one_of_the_command_line() -> None:
    """The command lists all formats."""
    from selfinstruct.cli.export import Format
    from selfinstruct.exports import FORMATS

    assert [each.value for each in Format] == list(FORMATS)
