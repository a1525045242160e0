"""What may be counted and is nobody: animals, objects, likenesses."""

from datamodules.plans.words.grammar import barred, listed

ANIMALS = listed("""
dog, cat, horse, puppy, kitten, parrot, pigeon, duck, goose, swan, cow, sheep, goat, donkey, camel,
elephant, lion, tiger, bear, wolf, fox, rabbit, owl, falcon, penguin, dolphin, turtle, butterfly, chicken,
rooster, pony, llama, monkey, peacock, hamster, squirrel, deer, seal, flamingo, husky, poodle, goldfish,
sled dog, seagull, police dog, guide dog, shepherd dog, rescue dog
""")

OBJECTS = listed("""
balloon, umbrella, suitcase, bicycle, chair, table, lamp, candle, book, guitar, violin, piano, camera,
microphone, laptop, telescope, map, kite, surfboard, skateboard, scooter, car, truck, tent, boat, canoe,
ladder, bucket, basket, box, crate, barrel, flag, banner, lantern, mirror, clock, painting, vase, teapot,
cup of tea, bowl of fruit, cake, pizza, apple, pumpkin, sunflower, rose, tree, bench, sofa, rug, window,
door, column, trophy, medal, ball, drum, trumpet, kettle, backpack, helmet, tractor, wheelbarrow, snowman,
scarecrow, mannequin, statue, robot, doll, teddy bear, puppet, garden gnome, sword, shield, chess board,
newspaper, glass of wine, loaf of bread, computer, wheel, rocket, helicopter, parachute, toy soldier, baby
carriage, wedding dress, chef's hat, doctor's bag, fire engine, police car, ice cream cone, director's
chair, portrait of a queen, wax figure, action figure, cardboard cutout, man's coat, women's shoe, children's
book, lady's handbag, sailor's cap, cowboy boot, fisherman's net, snow angel, gingerbread man, Lego figure, baby
bottle, wedding cake, family photo, painting of two sisters, poster of three singers, marble bust, king's crown,
nutcracker, student card, boys' bicycle, rubber duck, dollhouse, grandfather clock, lazy Susan, shepherd's staff,
ladies' glove, people carrier, doctor's note, manhole, workman's glove, crash test dummy
""")

COLORS = listed(
    "red, blue, green, yellow, white, black, purple, orange, old, small, huge, wooden, golden, broken, striped"
)

COLLECTIONS = barred("""
a flock of birds | a pair of glasses | a couple of suitcases | a bunch of flowers | a group of trees | a herd of cows
| a pack of wolves | a pair of shoes | a family of ducks | a team of huskies | a dozen roses | half a dozen eggs |
twin towers | a couple of benches | a row of houses | a trio of candles | a quartet of statues | a circle of stones |
a crowd of pigeons | an army of ants | a cluster of balloons | a group of lamps | a band of monkeys | a litter of six
puppies | a pair of twin beds | a pair of scissors | a set of five drums | a line of parked cars | a class of sailing
boats | a bunch of keys | a school of fish | a swarm of bees | a gang of cats | a couple of empty chairs | a pair of
binoculars | a handful of coins | a couple of dogs | a group of three cacti | a deck of cards | a party of penguins |
a duo of parrots | a lone tree | a single shoe | the only car | a chess king and queen | salt and pepper | a cup and
saucer | a hammer and nails | a table and four chairs | a cat and her kittens | a mother hen and six chicks | a mare
and her foal | bread, butter and jam | a team of horses | a couple of old, rusty bicycles | a pair of swans
""")
"""Animals and objects under words that elsewhere count people, and under more than one noun."""

MACHINES = listed("""
robot, android, cyborg dog, drone, toy train, snowman, scarecrow, mannequin, teddy bear, dinosaur, dragon, unicorn,
gingerbread man, puppet, marionette, stuffed rabbit, robot waiter, robot nurse, wax figure, garden gnome, toy soldier,
rubber duck, skeleton, statue, tin man, paper doll, vacuum robot, Lego figure, sock puppet, chess piece
""")
"""What may do as people do and is nobody."""
