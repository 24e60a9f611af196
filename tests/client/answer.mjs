// What a program in another language does: lists the inbox, reads a conversation, answers it.
const [generated, url, token, customer] = process.argv.slice(2);
const { Api } = await import(generated);
const santral = new Api({
  baseUrl: url,
  securityWorker: () => ({ headers: { Authorization: `Bearer ${token}` } }),
});

const inbox = await santral.api.listConversations({ customer, sort: "-updated_at" });
const [conversation] = inbox.data.items;
const read = await santral.api.listMessages(conversation.id, { after_seq: 0 });
const answer = await santral.api.writeMessage(conversation.id, { text: `You wrote: ${read.data.items[0].text}` });
const refused = await santral.api.getConversation("nobody").catch((problem) => problem.error.type);
console.log(JSON.stringify({ subject: conversation.subject, answer: answer.data, refused }));
