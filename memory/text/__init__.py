"""Text as memory sees it: cleaned, cut into sentences, turned into the terms that are indexed. Pure and linear in time.

In: any string, of any size, script or damage. Out: `clean` text fit to store, `sentences`, `Analyzer.terms`, `excerpt`.
Latin script is stemmed and freed of stop words; scripts without spaces (Chinese, Japanese, Thai …) give characters and
bigrams; emoji are terms. Never here: weights, scores or what a text means.
"""

from clawactors.memory.text.excerpt import excerpt
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.normal import clean, fold
from clawactors.memory.text.sentence import sentences
from clawactors.memory.text.term import Analyzer

__all__ = ["Analyzer", "Lexicon", "clean", "excerpt", "fold", "sentences"]
