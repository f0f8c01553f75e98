"""The customers of the demo workspace: invented companies and people, as one meets them across Europe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    name: str
    industry: str
    city: str
    country: str
    employees: int
    revenue_m: int  # yearly, in millions of the workspace's currency
    founded: int
    site: str  # host of the website and the e-mail addresses, below .example


_ROWS = """
Aalborg Kølehus A/S|Food and beverage|Aalborg|Denmark|640|182|1974|aalborgkolehus
Altmark Getreidehandel GmbH|Agriculture|Stendal|Germany|310|240|1991|altmark-getreide
Arrowsmith & Vane Ltd|Wholesale|Sheffield|United Kingdom|480|96|1962|arrowsmithvane
Bergström Pappersbruk AB|Paper and packaging|Örebro|Sweden|1250|410|1928|bergstrompapper
Böhmerwald Holzwerke AG|Timber|Zwiesel|Germany|870|205|1954|boehmerwald-holz
Brouwerij De Drie Linden N.V.|Food and beverage|Leuven|Belgium|420|130|1881|drielinden
Calzaturificio Marchetti S.p.A.|Fashion|Fermo|Italy|560|118|1969|marchetti-calzature
Cantabria Motor Componentes S.A.|Automotive|Torrelavega|Spain|1480|365|1983|cantabriamotor
Cavan Dairy Partners plc|Food and beverage|Cavan|Ireland|930|388|1976|cavandairy
Chemo-Lab Wrocław Sp. z o.o.|Chemicals|Wrocław|Poland|720|155|1994|chemolab
Dolomiti Sport Distribuzione S.r.l.|Retail|Bolzano|Italy|260|84|2003|dolomitisport
Drukarnia Nowy Świat S.A.|Paper and packaging|Łódź|Poland|390|61|1989|nowyswiat
Eberle & Söhne Armaturenfabrik GmbH|Machinery|Ravensburg|Germany|1120|276|1937|eberle-armaturen
Ferme des Trois Vallées SARL|Agriculture|Rodez|France|180|47|1998|troisvallees
Finnmark Sjømat AS|Food and beverage|Hammerfest|Norway|350|164|1987|finnmarksjomat
Galway Medical Supply DAC|Health care|Galway|Ireland|290|112|2006|galwaymedical
Gletscher Uhrenteile AG|Precision parts|Grenchen|Switzerland|410|143|1948|gletscher-uhren
Grupo Olivar del Sur S.L.|Food and beverage|Jaén|Spain|670|190|1958|olivardelsur
Hansekontor Ersatzteile KG|Automotive|Lübeck|Germany|530|171|1972|hansekontor
Hradec Textil s.r.o.|Fashion|Hradec Králové|Czechia|440|58|1992|hradectextil
Ilmenau Sensorik GmbH|Electronics|Ilmenau|Germany|340|92|2001|ilmenau-sensorik
Jokinen Rakennustarvike Oy|Building materials|Tampere|Finland|780|233|1966|jokinen
Karpaty Meble S.A.|Furniture|Rzeszów|Poland|1340|212|1979|karpatymeble
Kvarnby Logistik AB|Logistics|Mölndal|Sweden|960|148|1997|kvarnbylogistik
La Rochette Cosmétiques SAS|Consumer goods|Grenoble|France|610|204|1985|larochette
Limburgse Staalhandel B.V.|Metals|Roermond|Netherlands|370|289|1951|limburgsestaal
Lisnagar Pharma Ltd|Pharma|Cork|Ireland|1180|520|1999|lisnagar
Marosi Gumiipari Kft.|Plastics and rubber|Szeged|Hungary|690|121|1984|marosigumi
Moravia Glas a.s.|Building materials|Olomouc|Czechia|820|134|1961|moraviaglas
Nieuwpoort Scheepsuitrusting B.V.|Maritime|Vlissingen|Netherlands|240|77|1978|nieuwpoort
Oudenaarde Linnenweverij N.V.|Textiles|Oudenaarde|Belgium|310|52|1909|linnenweverij
Pannónia Húsfeldolgozó Zrt.|Food and beverage|Győr|Hungary|1020|226|1971|pannoniahus
Porto Cortiça Lda.|Building materials|Santa Maria da Feira|Portugal|450|86|1949|portocortica
Rheingau Sektkellerei AG|Food and beverage|Eltville|Germany|280|104|1864|rheingau-sekt
Saaremaa Puit OÜ|Timber|Kuressaare|Estonia|220|39|1996|saaremaapuit
Stadtwerke Ostheim|Public sector|Ostheim|Germany|590|310|1923|stadtwerke-ostheim
Tatranská Elektronika s.r.o.|Electronics|Poprad|Slovakia|880|167|1993|tatra-elektronika
Thornbury Garden Centres Ltd|Retail|Bristol|United Kingdom|1650|238|1968|thornburygardens
Val d'Aoste Acciai S.p.A.|Metals|Aosta|Italy|740|298|1939|aosteacciai
Zürisee Apotheken Genossenschaft|Health care|Wädenswil|Switzerland|510|175|1957|zuerisee-apotheken
"""
COMPANIES = tuple(
    Company(n, i, c, k, int(e), int(r), int(f), s)
    for n, i, c, k, e, r, f, s in (line.split("|") for line in _ROWS.strip().splitlines())
)

# By country: first names; last names (a blank within one is an underscore); the international dialling code.
_PEOPLE = {
    "Germany": (
        "Annika Bernd Carolin Dietmar Friederike Holger Ines Jochen Katrin Matthias Petra Sönke",
        "Achterberg Brinkmeier Dallmann Eickhoff Fröbel Hagedorn Kesselring Lüdtke Nottbeck Quandt Rüstig Wiesenthal",
        "+49",
    ),
    "Austria": ("Barbara Florian Gernot Magdalena", "Aichinger Hofstätter Moosbrugger Pichlmayr", "+43"),
    "Switzerland": (
        "Beat Corinne Luca Regula Sandro Ursina",
        "Aebersold Brügger Ineichen Rüegg Zumstein Zbinden",
        "+41",
    ),
    "France": (
        "Amélie Benoît Clémence Hugo Océane Thibault",
        "Bonnafé Courtillon Delmas Fauvel Lagarde Vasseur",
        "+33",
    ),
    "Belgium": ("An Dries Elke Joost Maarten Sofie", "Baeten Claeys De_Smedt Goossens Van_Hecke Verlinden", "+32"),
    "Netherlands": (
        "Anouk Bram Femke Jeroen Marloes Sjoerd",
        "Boogaard Dijkstra Hoekstra Kuipers Terpstra Zwart",
        "+31",
    ),
    "Denmark": ("Astrid Bjarke Line Mads Signe", "Bjerregaard Dalgaard Holm Krogh Vestergaard", "+45"),
    "Sweden": ("Ebba Gustav Linnea Oskar Sigrid Viktor", "Ahlgren Dahlqvist Forsberg Hedlund Rosén Åkerman", "+46"),
    "Norway": ("Eirik Hedda Ingvild Sindre", "Aasen Bakke Haugland Solbakken", "+47"),
    "Finland": ("Aino Eero Kaisa Mikko", "Heikkilä Laaksonen Niemelä Rautio", "+358"),
    "Estonia": ("Kadri Liisa Rasmus Tõnu", "Kallas Lepik Rebane Tamm", "+372"),
    "Poland": (
        "Agnieszka Bartosz Ewelina Grzegorz Katarzyna Łukasz Marek",
        "Baran Czarnecka Dudek Gajda Jabłońska Sikora Wrona",
        "+48",
    ),
    "Czechia": ("Alena Jiří Lenka Ondřej Tereza", "Blažek Dvořáková Havlíček Kratochvíl Svobodová", "+420"),
    "Slovakia": ("Juraj Martina Peter Zuzana", "Baláž Hudák Kováčová Šimko", "+421"),
    "Hungary": ("Ágnes Balázs Eszter Gábor Réka", "Balogh Fekete Hegedűs Orosz Somogyi", "+36"),
    "Italy": ("Alessia Davide Federica Lorenzo Matteo Silvia", "Barbieri Colombo Ferraris Gallo Moretti Vitali", "+39"),
    "Spain": ("Álvaro Beatriz Íñigo Lucía Nuria Sergio", "Arizmendi Castaño Echevarría Garrido Montes Vidal", "+34"),
    "Portugal": ("Inês João Rita Tiago", "Azevedo Carvalho Figueiredo Nogueira", "+351"),
    "United Kingdom": (
        "Alastair Bethany Gareth Imogen Priya Rowan",
        "Ashdown Blackwood Chaudhry Fairclough Okafor Whitlock",
        "+44",
    ),
    "Ireland": (
        "Aoife Ciarán Declan Niamh Orla Seán",
        "Brannigan Doherty Gallagher Ní_Bhriain Mulcahy Tierney",
        "+353",
    ),
}
# Title, department; the first fit the people who decide, the later ones those who use what is sold.
TITLES = (
    ("Managing director", "Management"),
    ("Head of logistics", "Logistics"),
    ("IT director", "IT"),
    ("Purchasing manager", "Purchasing"),
    ("Warehouse manager", "Logistics"),
    ("Head of operations", "Operations"),
    ("Project manager intralogistics", "Logistics"),
    ("Chief financial officer", "Finance"),
    ("ERP team lead", "IT"),
    ("Shift supervisor", "Operations"),
)


def people_of(country: str) -> tuple[list[str], list[str], str]:
    """First names, last names and the dialling code of a country."""
    first, last, code = _PEOPLE[country]
    return first.split(), [n.replace("_", " ") for n in last.split()], code
