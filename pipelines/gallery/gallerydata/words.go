package gallerydata

// The words that names and titles are made of. Any likeness to a person or a work is chance.
var (
	firstNames = []string{
		"Ada", "Åsa", "Benedikt", "Camille", "Chiyo", "Dagný", "Émile", "Farida", "Gonçalo", "Hana", "Ignacy", "Ines",
		"João", "Jun", "Katalin", "Lior", "Łucja", "Mbali", "Noor", "Ólafur", "Petra", "Quintus", "Ravi", "Saoirse",
		"Șerban", "Tariq", "Uxía", "Vasilisa", "Wanjiru", "Xochitl", "Yusuf", "Zoë",
	}
	lastNames = []string{
		"Abernethy", "Bråten", "Calloway", "Dvorník", "Echeverri", "Fjeld", "Große", "Hallström", "Ionescu", "Jaramillo",
		"Kettering", "Lindqvist", "Mokoena", "Nakagawa", "O'Dowd", "Peñaranda", "Quaye", "Roussel-Petit", "Szabó", "Tamm",
		"Ulrich", "Vasquez", "Wierzbicki", "Xanthos", "Yıldız", "Zeman",
	}
	nationalities = []string{
		"American", "Brazilian", "British", "Colombian", "Czech", "Dutch", "French", "German", "Ghanaian", "Icelandic",
		"Irish", "Japanese", "Kenyan", "Mexican", "Norwegian", "Polish", "Portuguese", "South African", "Spanish", "Turkish",
	}
	countries = []string{
		"Australia", "Brazil", "Canada", "China", "Côte d'Ivoire", "France", "Germany", "Iran, Islamic Republic of", "Ireland",
		"Italy", "Japan", "Korea, Republic of", "Mexico", "Netherlands", "Norway", "Poland", "Spain", "Türkiye",
		"United Arab Emirates", "United Kingdom", "United States",
	}
	mediums = []string{
		"Acrylic on board", "Bronze", "Charcoal on paper", "Gouache on paper", "Ink on silk", "Lithograph",
		"Mixed media", "Oil on canvas", "Oil on linen, framed", "Tempera on panel", "Watercolour", `Woodcut, 24" x 36"`,
	}
	moods = []string{
		"Amber", "Borrowed", "Broken", "Distant", "Drowned", "Folded", "Gentle", "Hollow", "Idle", "Last", "Northern",
		"Patient", "Quiet", "Restless", "Salted", "Second", "Unlit", "Winter",
	}
	things = []string{
		"Afternoon", "Beehive", "Café", "Dovecote", "Estuary", "Ferry", "Garden", "Harbour", "Island", "Jetty", "Kitchen",
		"Lantern", "Meadow", "Naïveté", "Orchard", "Pier", "Quarry", "Rooftop", "Salt Road", "Timber Yard", "Umbrella",
		"Vineyard", "Window", "月光",
	}
	places = []string{"Ålvik", "Brno", "Cusco", "Dún Laoghaire", "Évora", "Fez", "Graz", "Hội An", "Izmir", "Kyoto", "Łódź"}
	views  = []string{"front view", "back of the frame", "detail of the upper left", "signature", "hanging in the hall", "raking light"}
)
