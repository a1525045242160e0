"""Pictures with nobody in them, and texts that are no pictures at all."""

from datamodules.plans.words.grammar import barred

EMPTY = barred("""
an empty street at night | an empty beach | a landscape without people | mountains at dawn | a still life with three
apples | a bowl of fruit on a table | a five-star hotel lobby with nobody in it | a deserted train station | an
abandoned factory | a two-storey house by a lake | a snowy forest | a bouquet of seven roses | a city skyline | a
vintage car | a red bicycle against a wall | a desert with cacti | a lighthouse in a storm | a kitchen with nobody in
it | an empty classroom | a stage without actors | four empty chairs around a table | a doctor's office with no one
inside | a library after closing time | a plate of pasta | a sports car on Route 66 | a castle on a hill | a field of
sunflowers | a cup of coffee | the Milky Way | an unmanned spaceship | a chess board | a playground with no children |
a restaurant before opening | an uninhabited island | a waterfall | a sailing boat | a man's coat on a chair | a
children's book on a shelf | a snowman with a carrot nose | three mannequins in a shop window | two scarecrows in a
field | a teacher's desk | the king's throne, unoccupied | a baby carriage in the rain | a wedding cake with two
layers | a soldier's helmet in the grass | a fisherman's hut | a nurse's cap on a hook | the actors' dressing room,
locked | a women's magazine on a bench | a pair of shoes on a doorstep | a couple of suitcases in a corridor | a flock
of birds over a lake | a group of trees on a hill | a team of horses before a cart | a family of ducks on a pond |
twin towers in the fog | a school bus without passengers | a canyon with a river | a bakery window | an orange cat
asleep on books | an aquarium full of fish | a storm over the sea | a bridge in the fog | a tractor in a barn | a
rocket on its launch pad | a dollhouse with four rooms | a queen bee in her hive | a crown on a velvet pillow | two
empty hospital beds | the clothes of five players in a locker room | seven pairs of boots by a door | a ghost town | a
table laid for six | the surface of Mars | a northern light over a hut | a spiral staircase | a typewriter from 1920 |
a pond with lilies
""")
"""Scenes with nobody in them."""

DESIGNS = barred("""
a minimalist logo of a fox | the logo of a coffee roaster | a seamless floral pattern | a pattern of triangles and
dots | a map of the subway | an old treasure map | a world map in pastel colors | an abstract painting with red and
blue shapes | an abstract composition of circles | geometric art in three colors | a fractal | a gradient from pink to
orange | a still life with two bottles and a jug | a still life of a skull and a candle | a texture of wet stone | a
marble texture, seamless | an icon of a house | a set of twelve weather icons | a poster that says "Open 24 hours" | a
sign that reads "Men at work" | the words "Two is company" in neon | the word LOVE in large letters | a flat icon of
an envelope | a floor plan of a two-bedroom apartment | a bar chart with five bars | a diagram of an engine | a book
cover without figures, only typography | a calligraphy of the letter A | the number 7 made of gold | the digits 1 2 3
on a black board | a QR code | a barcode | an infographic of the water cycle | a blueprint of a bridge | a coat of
arms with two lions | the flag of Norway | a wallpaper of autumn leaves | stripes in four shades of green | a mandala
| a tartan cloth | a screenshot of a spreadsheet | a chess diagram, white to move in two | sheet music for two violins
| a business card for a lawyer | an app icon with a camera | a label for a bottle of wine | a recipe for four | a
calendar page for May | a paper with the text "dear John" | an optical illusion of cubes | a bird's-eye map of a
castle with three towers | a pixel art sword | a low poly mountain | a technical drawing of a pump | a crossword
puzzle
""")
"""Logos, patterns, maps, letters and shapes."""

NO_PICTURES = barred("""
hello | test | what is two plus two? | what time is it | thank you very much | the meaning of life | how do I boil six
eggs? | SELECT * FROM orders WHERE id = 5 | print(3 + 4) | tell me a joke | translate this into French | the quick
brown fox jumps over the lazy dog | lorem ipsum dolor sit amet | happiness | infinity | silence and light | freedom,
hope, joy | 1 2 3 4 5 | 42 | 3.14159 | nothing | nothing at all | no image | a blank page | a black square | an empty
white canvas | plain grey background | four colors, no shapes | loneliness | blue | fast, cheap and good | e = mc2 |
see you at seven | order number 12 | version 2.0 | love | chapter one | good morning | ... | ??? | see attachment | to
be continued | once upon a time | page 3 of 7 | untitled | undefined | error 404 | yes | no, not that one | the square
root of nine | the color of the number four | seven times six
""")
"""Texts that ask for no picture."""
