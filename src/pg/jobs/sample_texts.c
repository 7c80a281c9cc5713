/*-------------------------------------------------------------------------
 * sample_texts.c
 *		Texts on which models are compared where the user gives none.
 *
 * Some mean nearly the same, some the opposite, some have nothing in common; some are what
 * tables really hold.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/sample_texts.h"

const char *const aiaas_sample_texts[] = {
	"The parcel arrived two days late and the box was open.",
	"My delivery came late and somebody had opened it.",
	"Delivery was fast and everything was packed well.",
	"How do I change the password of my account?",
	"I cannot log in any more since I reset my password.",
	"Please cancel my subscription at the end of this month.",
	"I would like to renew my subscription for another year.",
	"The invoice of March has the wrong address on it.",
	"Can I pay by bank transfer instead of by card?",
	"Your refund has been sent and should arrive within five days.",
	"The screen stays black when I press the power button.",
	"The battery lasts less than an hour after the last update.",
	"It works, but it is much louder than the old one.",
	"Best purchase of the year, I would buy it again at once.",
	"Complete waste of money, it broke after a week.",
	"Not bad for the price, though the manual is useless.",
	"WINNER!! You have been chosen to receive a prize of 900 pounds. Call now!",
	"ok see you at 6 then, bring the kids :)",
	"lol no way, did he really say that???",
	"The central bank raised interest rates by a quarter of a point on Thursday.",
	"Shares of the carmaker fell 4.2% after it cut its forecast for the year.",
	"The home side won 3-1 with two goals in the last ten minutes.",
	"Heavy rain is expected in the north, with floods along the rivers.",
	"Scientists have found water ice at the bottom of craters near the pole.",
	"A man is playing a guitar on the street.",
	"Somebody makes music outside.",
	"A woman is slicing an onion in the kitchen.",
	"Nobody is cooking anything.",
	"Two dogs run through the snow.",
	"The cat sleeps on the window sill.",
	"The patient reports chest pain and shortness of breath since the morning.",
	"Take one tablet twice a day after meals, and do not exceed the dose.",
	"The tenant shall give three months' notice in writing.",
	"This agreement is governed by the laws of the country in which the seller resides.",
	"Water boils at 100 degrees Celsius at sea level.",
	"Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
	"The treaty was signed in 1648 and ended a war of thirty years.",
	"Bring 200 g of butter to room temperature, then beat it with the sugar until it is pale.",
	"SELECT name, count(*) FROM orders GROUP BY name HAVING count(*) > 10;",
	"for (int i = 0; i < n; i++) sum += x[i] * y[i];",
	"ERROR: connection to server at \"10.0.0.5\", port 5432 failed: timeout expired",
	"https://example.org/shop?item=4711&lang=en",
	"Order no. 2024-00817, 3 pcs., EUR 149.90 incl. VAT",
	"shoes",
	"?",
	"Das Paket kam zwei Tage zu spät an, und der Karton war offen.",
	"Wie kann ich mein Kennwort ändern?",
	"Le colis est arrivé avec deux jours de retard.",
	"Où se trouve la gare la plus proche, s'il vous plaît ?",
	"El paquete llegó dos días tarde y la caja estaba abierta.",
	"Vorrei prenotare un tavolo per quattro persone.",
	"Посылка пришла с опозданием.",
	"Καλημέρα, τι κάνεις;",
	"包裹晚到了两天。",
	"今日はいい天気ですね。",
	"오늘 날씨가 좋네요.",
	"وصل الطرد متأخرا.",
	"नमस्ते, आप कैसे हैं?",
	"Great phone 👍👍 but the charger is missing 😕",
	"Dear team, thank you for the quick answer. I have tried what you suggested: I removed the "
	"app, restarted the phone and installed it again. The first day all was well, but since "
	"yesterday it stops as soon as I open the list of orders. I have attached a screenshot and "
	"the log file. Could you please have a look, and tell me whether my old orders are lost? "
	"Kind regards, Anna",
	"The museum stands on the ruins of a Roman bath, parts of which can be seen in the cellar. "
	"Its collection began as that of a merchant, who brought maps, shells and instruments home "
	"from his journeys and left them to the town when he died without heirs. It is open every "
	"day but Monday, and free for children.",
	NULL
};
