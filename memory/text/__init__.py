"""Language analysis: cleans text, splits it into sentences and terms, finds concepts and dates. Pure, in linear time.

In: any string, of any size, in any script, even damaged. Out: `clean` text, `sentences`, `Analyzer.terms`, `excerpt`.
Latin script is stemmed and stripped of stop words; scripts without spaces (Chinese, Japanese, Thai …) give characters
and bigrams; emoji are terms. It knows nothing of memories: every other package of `clawactors.memory` may import it.
"""

from clawactors.memory.text.excerpt import excerpt
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.normal import clean, fold
from clawactors.memory.text.sentence import sentences
from clawactors.memory.text.term import Analyzer

__all__ = ["Analyzer", "Lexicon", "clean", "excerpt", "fold", "sentences"]
