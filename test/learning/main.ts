// `npx node test/learning/main.ts [rounds] [seed]`: kills a router that teaches a student, 50 times by default.
import { killRepeatedly } from './killed.ts';

const [rounds, seed] = [Number(process.argv[2] ?? 50), Number(process.argv[3] ?? Date.now() % 1e6)];
console.log(`${rounds} kills, seed ${seed}`);
const { answered, problems } = await killRepeatedly(rounds, seed, (done) => process.stdout.write(`\r${done}`));
console.log(`\n${answered} answered commits, ${problems.length} problems`);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
