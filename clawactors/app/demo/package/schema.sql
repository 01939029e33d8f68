-- Blocks of the Unicode code space: a part of Blocks.txt, by first code point.
CREATE TABLE block (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL CHECK (last >= first),
    name TEXT NOT NULL UNIQUE
);

INSERT INTO block (first, last, name) VALUES
    (0x0000, 0x007F, 'Basic Latin'),
    (0x0080, 0x00FF, 'Latin-1 Supplement'),
    (0x0100, 0x017F, 'Latin Extended-A'),
    (0x0180, 0x024F, 'Latin Extended-B'),
    (0x0250, 0x02AF, 'IPA Extensions'),
    (0x0370, 0x03FF, 'Greek and Coptic'),
    (0x0400, 0x04FF, 'Cyrillic'),
    (0x0530, 0x058F, 'Armenian'),
    (0x0590, 0x05FF, 'Hebrew'),
    (0x0600, 0x06FF, 'Arabic'),
    (0x0900, 0x097F, 'Devanagari'),
    (0x0E00, 0x0E7F, 'Thai'),
    (0x10A0, 0x10FF, 'Georgian'),
    (0x1100, 0x11FF, 'Hangul Jamo'),
    (0x1E00, 0x1EFF, 'Latin Extended Additional'),
    (0x1F00, 0x1FFF, 'Greek Extended'),
    (0x2000, 0x206F, 'General Punctuation'),
    (0x20A0, 0x20CF, 'Currency Symbols'),
    (0x2190, 0x21FF, 'Arrows'),
    (0x2200, 0x22FF, 'Mathematical Operators'),
    (0x2500, 0x257F, 'Box Drawing'),
    (0x2800, 0x28FF, 'Braille Patterns'),
    (0x3040, 0x309F, 'Hiragana'),
    (0x30A0, 0x30FF, 'Katakana'),
    (0x4E00, 0x9FFF, 'CJK Unified Ideographs'),
    (0xAC00, 0xD7AF, 'Hangul Syllables'),
    (0x1F300, 0x1F5FF, 'Miscellaneous Symbols and Pictographs'),
    (0x1F600, 0x1F64F, 'Emoticons'),
    (0x20000, 0x2A6DF, 'CJK Unified Ideographs Extension B');

CREATE INDEX block_by_last ON block (last);
