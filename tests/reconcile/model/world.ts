import type { Clock } from "../../../src/model/clock.ts";
import { act, populate } from "./acts.ts";
import { Bus } from "./bus.ts";
import type { Choices } from "./choices.ts";
import { Follower } from "./follower.ts";
import { iso, ModelCloud } from "./model_cloud.ts";
import { type Account, ACCOUNTS, ModelView, NoAnswer } from "./model_view.ts";
import { Receiver } from "./receiver.ts";

/** When the ledger began to follow the cloud. */
export const BEGAN_AT = Date.UTC(2026, 10, 21);
/** Rights may be taken away and given back while one comparison runs. */
const MAX_ACCOUNT_CHANGES = 2;

/** What else happens, and how often. The first one is nothing. */
const HAPPENINGS = {
  nothing: 20,
  act: 40,
  publish: 20,
  deliver: 20,
  decide: 20,
  time: 8,
  cell: 5,
  account: 10,
  failure: 3,
  hide: 3,
  backUpLedger: 2,
  restoreLedger: 2,
  backUpNeutron: 2,
  restoreNeutron: 2,
};

/** OpenStack, the bus, the ledger and the receiver; and everything that happens by itself. */
export class World {
  readonly choices: Choices;
  readonly here: ModelCloud;
  readonly follower: Follower;
  readonly receiver: Receiver;
  readonly view: ModelView;
  readonly log: string[] = [];
  /** Nothing happens by itself, and nothing fails. */
  isQuiet = true;
  now = BEGAN_AT - 3_600_000;
  readonly #bus = new Bus();
  #account: Account = ACCOUNTS.full;
  /** How often the account may still change before the comparison ends. */
  #accountChanges = 0;
  #isComparing = false;
  #failing = 0;
  readonly #hidden = new Set<string>();
  #ledgerBackup: ReturnType<Follower["backUp"]> | null = null;
  #restoreNeutron: (() => void) | null = null;

  constructor(choices: Choices) {
    this.choices = choices;
    const lossPercent = choices.pick([0, 30, 60, 100]) as number;
    const now = () => this.now;
    const made = { now, isOld: choices.chance(15), isVersioned: choices.chance(20) };
    this.here = new ModelCloud({ ...made, bus: this.#bus, isLost: () => !this.isQuiet && choices.chance(lossPercent) });
    populate(this.here);
    const elsewhere = new ModelCloud({ ...made, bus: null, isLost: () => false, prefix: "elsewhere-" });
    for (let count = choices.pick([1, 0, 10]) as number; count > 0; count--) populate(elsewhere);
    this.now = BEGAN_AT;
    this.here.isListenedTo = true;
    this.receiver = new Receiver(this.here, (line) => this.log.push(line));
    const pause = () => this.#pause();
    this.follower = new Follower(this.receiver, pause);
    this.view = new ModelView({
      here: this.here,
      elsewhere,
      account: () => this.#account,
      hidden: this.#hidden,
      pause: () => this.#answer(),
      pageSize: () => choices.pick([100, 1, 2, 3]) as number,
      chance: (percent) => !this.isQuiet && choices.chance(percent),
    });
  }

  /** Sleeping lets things happen; what was published when it ends is all that is older. */
  readonly clock: Clock = {
    now: () => this.now,
    passedMs: () => this.now,
    sleep: (ms) => {
      const end = this.now + ms;
      for (let left = this.isQuiet || ms === 0 ? 0 : this.choices.below(4); left > 0 && this.now < end; left--) {
        this.happen();
      }
      this.pass(Math.max(0, end - this.now));
      return Promise.resolve();
    },
  };

  note(line: string): void {
    this.log.push(`${iso(this.now).slice(11, 19)} ${line}`);
  }

  /** A comparison begins or ends. */
  setComparing(isComparing: boolean): void {
    this.#isComparing = isComparing;
    this.#accountChanges = 0;
  }

  pass(ms: number): void {
    this.now += ms;
    this.#bus.publishDue(this.now);
  }

  /** Records and decides all that has been published. */
  drain(): void {
    for (let one = this.#bus.deliverOne(); one !== undefined; one = this.#bus.deliverOne()) {
      this.follower.record(one);
      if (this.choices.chance(10)) this.follower.record(one);
      this.follower.decideOne();
    }
    this.follower.decideAll();
  }

  /** Everything that has happened is published, recorded and decided. */
  catchUp(): void {
    this.pass(60_000);
    this.drain();
  }

  /** The end: everything is well again, and only time passes. */
  calmDown(): void {
    this.isQuiet = true;
    this.#account = ACCOUNTS.full;
    this.#failing = 0;
    this.#hidden.clear();
    this.here.cellsDown.clear();
    this.pass(300_000);
  }

  /** Lets one thing happen. */
  happen(): void {
    this.pass(1000);
    const name = this.choices.weighted(HAPPENINGS);
    const what = this.#let(name);
    if (what !== null) this.note(what);
  }

  /** What happens, in words; `null`: nothing. */
  #let(name: keyof typeof HAPPENINGS): string | null {
    const { choices, here, follower } = this;
    switch (name) {
      case "nothing":
        return null;
      case "act":
        return act(here, choices);
      case "publish":
        this.#bus.publishOne(choices.below(8), { isOrdered: here.options.isOld });
        return null;
      case "deliver": {
        const message = this.#bus.deliverOne();
        if (message === undefined) return null;
        follower.record(message);
        return `recorded ${message.eventType}`;
      }
      case "decide":
        return follower.decideOne() ? "decided" : null;
      case "time":
        this.pass(choices.pick([5_000, 100_000]) as number);
        return null;
      case "cell": {
        if (!here.cellsDown.delete(1)) here.cellsDown.add(1);
        return "the cell 1 goes down, or comes back";
      }
      case "account":
        return this.#changeAccount();
      case "failure":
        this.#failing = choices.below(3);
        return "a service fails";
      case "hide": {
        const server = choices.pick([...here.servers.keys()]) as string;
        this.#hidden.add(server);
        return `${server} is hidden`;
      }
      case "backUpLedger":
        if (follower.isRestored) return null;
        this.#ledgerBackup = follower.backUp();
        return "the ledger is backed up";
      case "restoreLedger":
        // The service is stopped for that: no comparison goes on.
        if (this.#isComparing || this.#ledgerBackup === null) return null;
        follower.restore(this.#ledgerBackup, this.now);
        this.#ledgerBackup = null;
        return "the ledger is restored";
      case "backUpNeutron":
        this.#restoreNeutron = here.backUpNeutron();
        return "Neutron is backed up";
      case "restoreNeutron":
        return this.#restore();
    }
  }

  /** The account with which the service has always read, and whose scope an operator has confirmed. */
  chooseAccount(): void {
    const name = this.choices.pick(Object.keys(ACCOUNTS) as (keyof typeof ACCOUNTS)[]) as keyof typeof ACCOUNTS;
    if (ACCOUNTS[name].place === "elsewhere") return;
    this.#account = ACCOUNTS[name];
    this.note(`the account is: ${name}`);
  }

  #changeAccount(): string | null {
    if (this.#isComparing && this.#accountChanges >= MAX_ACCOUNT_CHANGES) return null;
    // Another cloud behind the same address comes at most once in a comparison, and stays.
    const isAlike = "isAlike" in this.#account;
    this.#accountChanges += isAlike ? MAX_ACCOUNT_CHANGES : 1;
    const name = this.#account === ACCOUNTS.full
      ? this.choices.pick(Object.keys(ACCOUNTS) as (keyof typeof ACCOUNTS)[])
      : "full";
    this.#account = ACCOUNTS[name as keyof typeof ACCOUNTS];
    if ("isAlike" in this.#account) this.#accountChanges = MAX_ACCOUNT_CHANGES;
    return `the account becomes: ${name}`;
  }

  /** Neutron's database goes back, which takes longer than its clocks may differ. */
  #restore(): string | null {
    if (this.#restoreNeutron === null || this.here.options.isOld) return null;
    this.pass(61_000);
    this.#restoreNeutron();
    this.#restoreNeutron = null;
    this.pass(1000);
    return "Neutron is restored";
  }

  #pause(): Promise<void> {
    if (!this.isQuiet && this.choices.chance(20)) this.happen();
    return Promise.resolve();
  }

  async #answer(): Promise<void> {
    await this.#pause();
    if (this.#failing === 0) return;
    this.#failing--;
    throw new NoAnswer("503");
  }
}
