"""English in small: plurals, participles, articles, numbers."""

VOWELS = "aeiou"
NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_PLURALS = {
    "person": "people", "child": "children", "grandchild": "grandchildren", "godchild": "godchildren",
    "wife": "wives", "midwife": "midwives", "wolf": "wolves", "shaman": "shamans", "goose": "geese",
    "loaf": "loaves", "man's coat": "men's coats", "king's crown": "kings' crowns", "sheep": "sheep", "deer": "deer",
    "fish": "fish", "goldfish": "goldfish", "samurai": "samurai", "elf": "elves", "thief": "thieves",
    "monarch": "monarchs", "hero": "heroes", "superhero": "superheroes", "businessperson": "businesspeople",
}  # fmt: skip
_DOUBLED = frozenset(
    {"sit", "run", "chat", "jog", "hug", "clap", "plan", "swim", "knit", "shop", "dig", "sip", "nap", "chop"}
    | {"mop", "cut", "hum", "grin", "rap", "step", "stir", "wrap", "get", "set", "put", "spin", "unwrap"}
)


def listed(text: str) -> tuple[str, ...]:
    """Comma-separated entries.

    >>> listed("a dog, two cats")
    ('a dog', 'two cats')
    """
    return tuple(part for piece in text.replace("\n", " ").split(",") if (part := " ".join(piece.split())))


def barred(text: str) -> tuple[str, ...]:
    """Entries divided by bars; they may hold commas.

    >>> barred("a dog, two cats | a cow")
    ('a dog, two cats', 'a cow')
    """
    return tuple(" ".join(entry.split()) for entry in text.split("|"))


def form(entry: str, count: int) -> str:
    """An entry of which one form, before a slash, is for one person and another for several.

    >>> form("in a hat / in hats", 1), form("in a hat / in hats", 2), form("in armor", 2)
    ('in a hat', 'in hats', 'in armor')
    """
    one, slash, many = entry.partition(" / ")
    return many if slash and count > 1 else one


def plural(noun: str) -> str:
    """More than one of a noun; its last word carries the ending, or that before "of".

    >>> [plural(w) for w in ("fireman", "fairy", "coach", "child", "bus driver", "cup of tea")]
    ['firemen', 'fairies', 'coaches', 'children', 'bus drivers', 'cups of tea']
    """
    if noun in _PLURALS:
        return _PLURALS[noun]
    head, of, rest = noun.partition(" of ")
    if of:
        return f"{plural(head)}{of}{rest}"
    *before, last = noun.split()
    if last in _PLURALS:
        return " ".join([*before, _PLURALS[last]])
    return " ".join([*before, _ending(last)])


def _ending(word: str) -> str:
    if word.endswith("man"):
        return word[:-2] + "en"
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def participle(phrase: str) -> str:
    """A verb phrase with -ing.

    >>> [participle(p) for p in ("sit on a bench", "wave", "lie down", "see a film", "play chess")]
    ['sitting on a bench', 'waving', 'lying down', 'seeing a film', 'playing chess']
    """
    verb, _, rest = phrase.partition(" ")
    if verb in _DOUBLED:
        verb += verb[-1]
    elif verb.endswith("ie"):
        verb = verb[:-2] + "y"
    elif verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        verb = verb[:-1]
    return f"{verb}ing {rest}".strip()


def third_person(phrase: str) -> str:
    """A verb phrase as one person does it.

    >>> [third_person(p) for p in ("watch a film", "carry bags", "play chess", "do yoga")]
    ['watches a film', 'carries bags', 'plays chess', 'does yoga']
    """
    verb, _, rest = phrase.partition(" ")
    if verb == "have":
        verb = "has"
    elif verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        verb += "es"
    elif verb.endswith("y") and verb[-2] not in VOWELS:
        verb = verb[:-1] + "ies"
    else:
        verb += "s"
    return f"{verb} {rest}".strip()


def article(phrase: str) -> str:
    """The phrase behind "a" or "an".

    >>> [article(p) for p in ("old man", "uniformed guard", "nurse")]
    ['an old man', 'a uniformed guard', 'a nurse']
    """
    vowel = phrase[0].lower() in VOWELS and not phrase.lower().startswith(("uni", "one", "eu", "use"))
    return f"{'an' if vowel else 'a'} {phrase}"


def joined(items: list[str], last: str = "and") -> str:
    """Items with commas and one "and".

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"
