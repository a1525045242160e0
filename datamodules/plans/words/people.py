"""Words for people: what they do for a living, what they are to each other, what they are called."""

from datamodules.plans.words.grammar import listed, plural

ROLES = listed("""
accountant, acrobat, actor, actress, adult, adviser, air traffic controller, altar boy, ambassador,
anesthetist, animator, apprentice, archaeologist, archer, architect, artist, assistant, astronaut,
astronomer, athlete, auctioneer, author, babysitter, backpacker, baker, ballerina, ballet dancer,
banker, barber, barista, bartender, baseball player, basketball player, beekeeper, bellhop, biker,
biologist, birdwatcher, blacksmith, blogger, boatman, bodyguard, bodybuilder, bookseller, botanist,
bowler, boxer, boy, boy scout, bridesmaid, bricklayer, broker, builder, bus driver, businessman,
businesswoman, butcher, butler, cameraman, camper, candidate, captain, caregiver, carpenter, carpet
weaver, cashier, cellist, cheerleader, chef, chemist, chess player, child, choir singer, choreographer,
cleaner, climber, clown, coach, cobbler, colleague, comedian, commuter, composer, concierge, conductor,
construction worker, cook, courier, cowboy, cowgirl, cricketer, critic, customer, cyclist, dancer,
dentist, designer, detective, diner, diplomat, director, dishwasher, diver, docent, doctor, dockworker,
doorman, dressmaker, driver, drummer, duchess, economist, editor, electrician, engineer, entrepreneur,
explorer, factory worker, farmer, fashion model, fencer, firefighter, fireman, fisherman, fishmonger,
fitness instructor, flight attendant, florist, flutist, football player, forester, friend, gamer,
gardener, gentleman, geologist, girl, girl scout, glassblower, goalkeeper, golfer, grandmother,
grandfather, groomsman, guard, guest, guide, guitarist, gymnast, hairdresser, handyman, harpist, herder,
hiker, historian, hitchhiker, hockey player, horse rider, hostess, hotel guest, housekeeper, hunter, ice
skater, illustrator, inspector, intern, interpreter, inventor, investor, janitor, jazz musician,
jeweler, jockey, jogger, journalist, judge, juggler, karate fighter, kayaker, kid, king, knight, lab
technician, lady, landlord, lawyer, lecturer, librarian, lifeguard, locksmith, lumberjack, magician,
mail carrier, man, manager, marathon runner, marine, mason, massage therapist, mathematician, mayor,
mechanic, merchant, midwife, milkman, mime, miner, ministry official, monk, mountaineer, musician,
nanny, neighbor, neurologist, newsreader, nun, nurse, office worker, old man, old woman, opera singer,
optician, painter, paramedic, park ranger, passenger, pastry chef, patient, pedestrian, pensioner,
pharmacist, philosopher, photographer, physicist, physiotherapist, pianist, pilgrim, pilot, pirate,
plasterer, plumber, poet, police officer, policeman, policewoman, politician, porter, postman, potter,
priest, prince, princess, principal, professor, programmer, puppeteer, pupil, queen, rabbi, racing
driver, railway worker, rapper, realtor, receptionist, referee, reporter, rescuer, researcher, roofer,
rower, rugby player, runner, sailor, saleswoman, salesman, samurai, saxophonist, schoolboy, schoolgirl,
scientist, sculptor, seamstress, secretary, security guard, senior citizen, shaman, shepherd, shoemaker,
shop assistant, shopkeeper, shopper, singer, skateboarder, skater, skier, smith, snowboarder, soccer
player, social worker, soldier, songwriter, spectator, sprinter, stockbroker, street musician, street
vendor, student, stuntman, sumo wrestler, surfer, surgeon, swimmer, tailor, tattoo artist, taxi driver,
teacher, technician, teenager, tennis player, toddler, tour guide, tourist, traveler, trainee,
translator, truck driver, trumpeter, tutor, veterinarian, viking, violinist, visitor, volleyball player,
volunteer, waiter, waitress, warden, warrior, student nurse, child actor, woman engineer, male nurse,
female pilot, army doctor, school nurse, police detective, watchmaker, weaver, wedding guest,
weightlifter, welder, window cleaner, winemaker, witch, wizard, woman, woodcarver, worker, wrestler,
writer, yoga instructor, young man, young woman, youngster, zookeeper, baby, newborn, mother, father,
grandma, grandpa, sister, brother, bride, groom, parent, stranger, villager, prisoner, hero, superhero,
villain, elf, vampire, fairy, mermaid, ninja, monarch, emperor, thief, spy, hacker, influencer,
streamer, businessperson, six-year-old, ten-year-old, 40-year-old, dude, teen, mom, dad, bystander,
farmhand, gladiator, geisha, ghost hunter, dog walker, horse trainer, cat lover, lion tamer, bird keeper
""")
"""Nouns that mean one person each."""

COMMON = listed(
    "person, person, person, man, woman, woman, man, friend, child, boy, girl, adult, kid, lady, guy, student"
)
"""The words strangers use most, drawn more often than the others."""

KIN = listed("""
son, daughter, child, brother, sister, cousin, nephew, niece, grandson, granddaughter, grandchild, kid,
student, pupil, assistant, friend, colleague, apprentice, bodyguard, classmate, teammate, neighbor,
roommate, bandmate, aunt, uncle, stepson, stepdaughter, godchild, little brother, older sister, best
friend, coworker, baby, guest, fan, kid brother, grandmother, grandfather
""")
"""People named by what they are to somebody."""

ONLY_KIN = listed("""
mother, father, mom, dad, wife, husband, girlfriend, boyfriend, partner, bride, fiance, grandma,
grandpa, boss, roommate, doctor, lawyer, twin, twin brother, twin sister, date, trainer
""")
"""People of whom somebody has one."""

ELDERS = listed("""
mother, father, grandmother, grandfather, single mother, single father, aunt, uncle, teacher, coach,
master, boss, professor, king, queen, trainer, nanny, stepmother, mentor, babysitter, widow,
godfather, mom, dad, grandma, grandpa, parent
""")
"""Who may have kin, pupils or staff."""

_FEMALE = listed("""
woman, girl, lady, mother, grandmother, grandma, mom, sister, aunt, queen, princess, duchess, bride, bridesmaid, nun,
nanny, waitress, actress, hostess, businesswoman, policewoman, saleswoman, schoolgirl, cowgirl, seamstress, ballerina,
witch, fairy, mermaid, geisha, midwife, widow, stepmother, daughter, granddaughter, niece, wife, female, herself, her
""")
_MALE = listed("""
man, boy, gentleman, father, grandfather, grandpa, dad, brother, uncle, king, prince, groom, groomsman, monk,
priest, waiter, actor, businessman, policeman, salesman, schoolboy, cowboy, fireman, fisherman, cameraman, handyman,
milkman, postman, doorman, boatman, stuntman, guy, dude, emperor, wizard, godfather, stepfather, son, grandson, nephew,
husband, male, himself, his, lumberjack, shepherd, butler, bellhop, rabbi, seventh
""")
FEMALE = frozenset((*_FEMALE, *map(plural, _FEMALE)))
MALE = frozenset((*_MALE, *map(plural, _MALE)))
"""Words that say "she" or "he"."""

WOMEN = listed("""
Anna, Maria, Sofia, Emma, Olivia, Aisha, Fatima, Mei, Yuki, Priya, Ananya, Leila, Zainab, Ingrid, Astrid,
Chloe, Camille, Giulia, Francesca, Carmen, Lucia, Isabel, Elena, Olga, Natasha, Svetlana, Hannah, Greta,
Heidi, Clara, Rosa, Grace, Nora, Lily, Alice, Julia, Kate, Megan, Rachel, Sarah, Laura, Amara, Ngozi,
Thandi, Wanjiru, Mariam, Noor, Dalia, Soo-jin, Mina, Hana, Linh, Siti, Dewi, Paula, Beatriz, Valentina,
Ines, Zoe, Ruth
""")
MEN = listed("""
Tom, Ben, Leo, Max, Paul, Peter, David, Daniel, Michael, James, John, Omar, Ali, Hassan, Yusuf, Karim, Ravi,
Arjun, Vikram, Wei, Jun, Kenji, Hiroshi, Min-ho, Carlos, Diego, Mateo, Luis, Pedro, Marco, Luca, Giovanni,
Pierre, Antoine, Hans, Lukas, Felix, Erik, Lars, Sven, Ivan, Dmitri, Boris, Piotr, Jakub, Kwame, Kofi,
Chidi, Tunde, Sipho, Juma, Samuel, Noah, Oliver, Jack, Harry, George, Arthur, Oscar, Hugo
""")
"""First names."""

SURNAMES = listed("""
Smith, Garcia, Tanaka, Okafor, Novak, Rossi, Petrov, Nguyen, Kim, Patel, Haddad, Silva, Andersson,
Dubois, Kowalski, Mbeki, O'Brien, Fischer, Yilmaz, Rahman, Costa, Lopez, Jensen, Weber, Moreau, Sato,
Mensah, Ivanova
""")
"""Family names, which add nobody to a first name."""

CROWDS = listed("""
a crowd, a large crowd, a crowd of people, crowds of tourists, a huge audience, an orchestra, a symphony
orchestra, a marching band, an army of soldiers, many people, lots of children, dozens of dancers, hundreds
of runners, thousands of fans, countless shoppers, a mob of angry villagers, a packed stadium of fans,
masses of commuters, a big choir, a parade of dancers
""")
"""More people than can be counted."""

VAGUE = listed("""
some people, several friends, a few people, a few students, a group of friends, people, friends, tourists, a
family, a team of doctors, children, musicians, some workers, various guests, a bunch of kids, several
nurses, a band, a class of pupils, soldiers, men and women, a couple or three friends, one or two people, a
group of people, a number of guests, strangers, a football team, a wedding party, two to three people,
between four and six dancers, half the class, my friends
""")
"""People whose number is left open."""
