/** Words that say nothing by themselves, folded: a redaction that hides one of them alone hides nothing. */
export const stopWords: ReadonlySet<string> = new Set(
  [
    // English
    "a an and any are as at be been but by can did do does for from had has have he her him his how i if in into is it its",
    "me my no nor not of off on or our out she so than that the their them then there these they this those to too up us",
    "was we were what when which while who whom why with you your",
    // German
    "als am an auch auf aus bei bin bis da das dass dem den der des die du durch ein eine einem einen einer eines er es",
    "fur hat ich ihr im in ist ja kein man mich mir mit nach nicht noch nur oder sein sich sie sind so um und uns vom von",
    "vor war was wer wie wir wird zu zum zur uber unter",
    // French
    "au aux avec ce ces cette dans de des du elle en est et il ils je la le les leur lui mais ne nous ou par pas pour que",
    "qui sa se ses son sur un une vous y",
    // Spanish, Portuguese, Italian, Dutch
    "al ao as com como con da das del di do dos e ed el em era es esta fue gli ha il io lo los las mais mas na nao no nos o",
    "os para per piu por se si sono su sua suo um uma una uno van het een te dat voor met zijn niet aan om ook dan naar",
  ].flatMap((line) => line.split(" ")),
);
