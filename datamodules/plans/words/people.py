"""Words for people: what they do for a living, what they are to each other, what they are called."""

from datamodules.plans.words.grammar import listed

ROLES = listed("""
accountant, acrobat, actor, actress, adult, adviser, air traffic controller, altar boy, ambassador,
anesthetist, animator, apprentice, archaeologist, archer, architect, artist, assistant, astronaut,
astronomer, athlete, auctioneer, author, babysitter, backpacker, baker, ballerina, ballet dancer, banker,
barber, barista, bartender, baseball player, basketball player, beekeeper, bellhop, biker, biologist,
birdwatcher, blacksmith, blogger, boatman, bodyguard, bodybuilder, bookseller, botanist, bowler, boxer, boy,
boy scout, bridesmaid, bricklayer, broker, builder, bus driver, businessman, businesswoman, butcher, butler,
cameraman, camper, candidate, captain, caregiver, carpenter, carpet weaver, cashier, cellist, cheerleader,
chef, chemist, chess player, child, choir singer, choreographer, cleaner, climber, clown, coach, cobbler,
colleague, comedian, commuter, composer, concierge, conductor, construction worker, cook, courier, cowboy,
cowgirl, cricketer, critic, customer, cyclist, dancer, dentist, designer, detective, diner, diplomat,
director, dishwasher, diver, docent, doctor, dockworker, doorman, dressmaker, driver, drummer, duchess,
economist, editor, electrician, engineer, entrepreneur, explorer, factory worker, farmer, fashion model,
fencer, firefighter, fireman, fisherman, fishmonger, fitness instructor, flight attendant, florist, flutist,
football player, forester, friend, gamer, gardener, gentleman, geologist, girl, girl scout, glassblower,
goalkeeper, golfer, grandmother, grandfather, groomsman, guard, guest, guide, guitarist, gymnast,
hairdresser, handyman, harpist, herder, hiker, historian, hitchhiker, hockey player, horse rider, hostess,
hotel guest, housekeeper, hunter, ice skater, illustrator, inspector, intern, interpreter, inventor,
investor, janitor, jazz musician, jeweler, jockey, jogger, journalist, judge, juggler, karate fighter,
kayaker, kid, king, knight, lab technician, lady, landlord, lawyer, lecturer, librarian, lifeguard,
locksmith, lumberjack, magician, mail carrier, man, manager, marathon runner, marine, mason, massage
therapist, mathematician, mayor, mechanic, merchant, midwife, milkman, mime, miner, ministry official, monk,
mountaineer, musician, nanny, neighbor, neurologist, newsreader, nun, nurse, office worker, old man, old
woman, opera singer, optician, painter, paramedic, park ranger, passenger, pastry chef, patient, pedestrian,
pensioner, pharmacist, philosopher, photographer, physicist, physiotherapist, pianist, pilgrim, pilot,
pirate, plasterer, plumber, poet, police officer, policeman, policewoman, politician, porter, postman,
potter, priest, prince, princess, principal, professor, programmer, puppeteer, pupil, queen, rabbi, racing
driver, railway worker, rapper, realtor, receptionist, referee, reporter, rescuer, researcher, roofer,
rower, rugby player, runner, sailor, saleswoman, salesman, samurai, saxophonist, schoolboy, schoolgirl,
scientist, sculptor, seamstress, secretary, security guard, senior citizen, shaman, shepherd, shoemaker,
shop assistant, shopkeeper, shopper, singer, skateboarder, skater, skier, smith, snowboarder, soccer player,
social worker, soldier, songwriter, spectator, sprinter, stockbroker, street musician, street vendor,
student, stuntman, sumo wrestler, surfer, surgeon, swimmer, tailor, tattoo artist, taxi driver, teacher,
technician, teenager, tennis player, toddler, tour guide, tourist, traveler, trainee, translator, truck
driver, trumpeter, tutor, veterinarian, viking, violinist, visitor, volleyball player, volunteer, waiter,
waitress, warden, warrior, student nurse, child actor, woman engineer, male nurse, female pilot, army
doctor, school nurse, police detective, watchmaker, weaver, wedding guest, weightlifter, welder, window
cleaner, winemaker, witch, wizard, woman, woodcarver, worker, wrestler, writer, yoga instructor, young man,
young woman, youngster, zookeeper
""")
"""Nouns that mean one person each."""

COMMON = listed(
    "person, person, person, man, woman, woman, man, friend, child, boy, girl, adult, kid, lady, guy, student"
)
"""The words strangers use most, drawn more often than the others."""

KIN = listed("""
son, daughter, child, brother, sister, cousin, nephew, niece, grandson, granddaughter, grandchild, kid,
student, pupil, assistant, friend, colleague, apprentice, bodyguard, classmate, teammate, neighbor,
roommate, bandmate, aunt, uncle, stepson, stepdaughter, godchild, little brother, older sister, best friend,
coworker
""")
"""People named by what they are to somebody."""

ELDERS = listed("""
mother, father, grandmother, grandfather, single mother, single father, aunt, uncle, teacher, coach, master,
boss, professor, woman, man, king, queen, trainer, nanny, stepmother, mentor, babysitter, widow, godfather
""")
"""Who may have kin, pupils or staff."""

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

FIXED = {
    1: listed("""
a lone traveler, a single dancer, an only child, nobody but a janitor, no one except an old woman, a
solitary figure, just one person, a soloist, somebody in a raincoat, a bride, a groom, a man on his own, a
woman by herself, only a caretaker, a solo violinist, a newborn baby, a toddler, the birthday girl, a
self-portrait of a painter, the second runner in the race, the third man from the left, the first woman on
the moon, the last guest, the youngest of the brothers
"""),
    2: listed("""
a couple, an elderly couple, a young couple, a married couple, newlyweds, a pair of newlyweds, twins,
identical twins, twin brothers, twin sisters, a bride and groom, a bride and a groom, a husband and wife, a
man and his wife, a woman and her husband, a mother and daughter, a father and son, a mother holding her
baby, a mother and her newborn, a duo, a pop duo, a king and queen, a boy and a girl, lovers on a first
date, a brother and sister, a duet of singers, a pair of twins, a woman proposing to her girlfriend, a man
carrying his bride, a groom kissing his bride, a father with his daughter on his shoulders, an old man and
his grandson, a doctor examining a patient, a teacher helping a pupil, a barber and his customer, a tennis
player facing an opponent, mom and dad, grandma and grandpa, my parents, a man and a woman, a knight and a
squire, a boxer and a trainer, a pilot and a co-pilot, a patient and a nurse, dance partners, both parents,
both grandparents, a ventriloquist and a volunteer, a judge and a lawyer, two-man crew
"""),
    3: listed("""
triplets, identical triplets, a trio, a jazz trio, a bride and groom with a priest, parents with their only
child, a couple with a baby, a boy between his parents, a mother with her twins, a father and his twin sons,
a rock trio, a man and twice as many women, a woman with her husband and son, a couple and their waiter, a
mother, father and child, a girl with both her parents, a grandmother, her daughter and her granddaughter, a
threesome of friends, a man, his wife and their baby, newlyweds and a photographer, grandparents with their
only grandchild, a king, a queen and a jester, twins and their babysitter, a doctor with an elderly couple,
a couple adopting a child, an only child with both parents, a judge between two lawyers, a boxing referee
between two fighters, a patient with a doctor and a nurse
"""),
    4: listed("""
a quartet, a string quartet, a barbershop quartet, quadruplets, two couples, two pairs of twins, a foursome
of golfers, a couple and their twins, a mother with her triplets, parents with their two children, a mixed
doubles tennis match, a couple with twin girls, a father and his triplets, a family of four, both sets of
parents, a bride and groom with both their mothers, two couples on a double date, a couple with their son
and daughter, a jazz trio and a singer, twins with their parents, two mothers each holding a baby, two pairs
of dancers, two fathers with one son each, two men and as many women, two pairs of skaters
"""),
    5: listed("""
a quintet, a wind quintet, a brass quintet, quintuplets, a couple with triplets, parents and their three
children, a family of five, a string quartet and its conductor, two couples and a waiter, a five-piece band,
parents with triplets, a couple with their twins and a nanny, a newlywed couple with three bridesmaids, a
brass quintet
"""),
    6: listed("""
a sextet, sextuplets, half a dozen people, three couples, three pairs of twins, a family of six, a couple
and their quadruplets, a volleyball team of six, two sets of triplets, a string quartet with two dancers, a
bride and groom with all four parents, half a dozen dancers, three mothers each with a baby, two men and
twice as many women, three boys and as many girls, two trios of singers, three pairs of skaters, three
fathers with one child each
"""),
    7: listed("""
a septet, seven dwarfs, a family of seven, three couples and a dance teacher, parents with their five
children, septuplets, a couple with their quintuplets, two jazz trios and a presenter, half a dozen singers
and a pianist
"""),
}
"""Whole phrases whose number of people must be known, not read."""

COLLECTIVES = {
    2: listed("a pair of, a duo of, a couple of, a twosome of, a pair of"),
    3: listed("a trio of, a threesome of, a group of three, a team of three, a cluster of three, a trio of"),
    4: listed(
        "a quartet of, a foursome of, a group of four, a team of four, a band of four, a squad of four"
    ),
    5: listed(
        "a quintet of, a group of five, a team of five, a party of five, a circle of five, a crew of five"
    ),
    6: listed(
        "a sextet of, half a dozen, a half-dozen, a group of six, a team of six, a row of six, a class of six"
    ),
    7: listed(
        "a septet of, a group of seven, a team of seven, a troupe of seven, a line of seven, a gang of seven"
    ),
}
"""Words in front of a plural that hold its number."""

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
